"""Worked examples of calculated emissions, heat and norms."""

from typing import Any

import numpy as np

from ingest.methods.gwp import GWP100
from ingest.methods.norms import NORMS
from ingest.methods.registry import METHODS, constant
from ingest.worked_examples.operation import (
    Input,
    Inputs,
    Operation,
    fraction,
    number,
    numbers,
    percentage,
    positive,
)
from kernels import calculated, steam

_CARBON = constant(METHODS["carbon.balance"], "co2_per_carbon")
_LIME, _MAGNESIA = (constant(METHODS["cement.oxides"], name) for name in ("co2_per_cao", "co2_per_mgo"))
_STEEL, _MINE = METHODS["steel.boundary-balance"], METHODS["coal.methane"]
_PFC = METHODS["aluminium.pfc-default"]
_KG = 1e-3


def _oxides(x: Inputs) -> float:
    return calculated.oxide_factor(
        x["cao"], x["mgo"], x["cao_non_carbonate"], x["mgo_non_carbonate"], _LIME, _MAGNESIA
    )


def _process_factor(x: Inputs) -> dict[str, Any]:
    return {"co2_t_per_t_clinker": _oxides(x)}


def _process_emission(x: Inputs) -> dict[str, Any]:
    dust = (x["kiln_dust_t"], x["bypass_dust_t"], x["bypass_calcined"])
    return {"co2_t": calculated.calcined_mass(x["clinker_t"], *dust) * _oxides(x)}


def _deduction(x: Inputs) -> dict[str, Any]:
    mass, deduction = np.array(x["material_t"]), np.array(x["deduction_t_per_t"])
    return {"co2_t": calculated.process_less_deductions(x["clinker_t"], x["factor_t_per_t"], mass, deduction)}


def _raw_meal(x: Inputs) -> dict[str, Any]:
    return {"co2_t": calculated.carbon_co2(x["raw_meal_dry_t"], x["carbon_fraction"], 1.0, _CARBON)}


def _measured_carbon(x: Inputs) -> dict[str, Any]:
    return {"co2_t": calculated.carbon_co2(x["fuel_t"], x["carbon_fraction"], x["oxidation"], _CARBON)}


def _kiln_ratio(x: Inputs) -> dict[str, Any]:
    air = constant(METHODS["kiln.process-fuel-ratio"], "air")
    found = calculated.process_fuel_ratio(
        x["co2_fraction_dry"], x["o2_fraction_dry"], x["co2_per_o2_used"], air
    )
    return {"process_per_fuel": found}


def _steel(x: Inputs) -> dict[str, Any]:
    streams = (np.array(x[name]) for name in ("in_t", "in_carbon", "out_t", "out_carbon"))
    carbon = calculated.net_carbon(*streams)
    flux = np.array([constant(_STEEL, name) for name in ("limestone", "dolomite", "electrode")])
    used = np.array([x["limestone_t"], x["dolomite_t"], x["electrode_t"]])
    direct = carbon * _CARBON + calculated.weighted(used, flux)
    return {"net_carbon_t": carbon, "direct_co2_t": direct}


def _anode(x: Inputs) -> dict[str, Any]:
    found = calculated.anode_factor(x["net_anode_t_per_t"], x["sulphur"], x["ash"], _CARBON)
    return {"co2_t_per_t": found}


def _pfc_default(x: Inputs) -> dict[str, Any]:
    gwp = GWP100[x["gwp_set"]]
    kg = [constant(_PFC, gas) * x["aluminium_t"] for gas in ("cf4", "c2f6")]
    return {"co2e_kg": calculated.weighted(np.array(kg), np.array([gwp["cf4"], gwp["c2f6"]]))}


def _pfc_slope(x: Inputs) -> dict[str, Any]:
    cf4 = calculated.cf4_by_slope(x["slope"], x["anode_effect_min_per_cell_day"], x["aluminium_t"]) * _KG
    return {"cf4_t": cf4, "c2f6_t": cf4 * x["c2f6_per_cf4"]}


def _pfc_overvoltage(x: Inputs) -> dict[str, Any]:
    found = calculated.cf4_by_overvoltage(
        x["coefficient"], x["overvoltage_mv"], x["current_efficiency_pct"], x["aluminium_t"]
    )
    return {"cf4_t": found * _KG}


def _methane(x: Inputs) -> dict[str, Any]:
    mass = x["volume_m3"] * x["density_kg_per_m3"]
    return {"ch4_kg": mass, "co2e_kg": mass * GWP100[x["gwp_set"]]["ch4"]}


def _density(x: Inputs) -> dict[str, Any]:
    kelvin = x["temperature_c"] + constant(METHODS["physics.stack-co2"], "zero")
    gas_constant = constant(_MINE, "gas_constant")
    found = calculated.gas_density(x["molar_mass_g_per_mol"], kelvin, x["pressure_pa"], gas_constant)
    return {"kg_per_m3": found}


def _stock_change(x: Inputs) -> dict[str, Any]:
    found = calculated.stock_change(x["begin_kg"], x["bought_kg"], x["end_kg"], x["returned_kg"])
    return {"emitted_kg": found}


def _shield_gas(x: Inputs) -> dict[str, Any]:
    share, molar = np.array(x["volume_share"]), np.array(x["molar_mass_g_per_mol"])
    if not share.any():
        return {"co2_kg": None}
    return {"co2_kg": calculated.share_of_mixture(x["mixture_kg"], share, molar, 0)}


def _electronics(x: Inputs) -> dict[str, Any]:
    used, abated, destroyed = (x["used_kg"], x["heel"]), x["abated_share"], x["destroyed"]
    by_product = destroyed if x["by_product_destroyed"] is None else x["by_product_destroyed"]
    return {
        "gas_kg": calculated.process_gas(*used, x["not_used_share"], abated, destroyed),
        "by_product_kg": calculated.process_gas(*used, x["by_product_kg_per_kg"], abated, by_product),
    }


def _enthalpy(x: Inputs) -> dict[str, Any]:
    return {"kj_per_kg": steam.enthalpy(x["temperature_k"], x["pressure_mpa"])}


def _steam_heat(x: Inputs) -> dict[str, Any]:
    feed = constant(METHODS["steam.heat"], "feed")
    return {"gj": steam.heat_flow(x["steam_t"], x["temperature_k"], x["pressure_mpa"], feed)}


def _water_heat(x: Inputs) -> dict[str, Any]:
    feed, capacity = (constant(METHODS["water.heat"], name) for name in ("feed", "heat_capacity"))
    return {"gj": steam.water_heat(x["water_t"], x["temperature_c"], feed, capacity)}


def _saturation(x: Inputs) -> dict[str, Any]:
    return {"temperature_k": steam.saturation_temperature(x["pressure_mpa"])}


def _norm(id_: str, name: str) -> Any:
    def compute(x: Inputs) -> dict[str, Any]:
        return dict(zip(("level1", "level2", "level3"), NORMS[id_].at(x[name]), strict=True))

    return compute


_OXIDES = (fraction("cao"), fraction("mgo"), fraction("cao_non_carbonate", default=0.0),
           fraction("mgo_non_carbonate", default=0.0))  # fmt: skip
_CLINKER = number("clinker_t", "t", low=0.0)
_GWP_SET = Input("gwp_set", "text", default="AR5", one_of=tuple(GWP100))
_ALUMINIUM = number("aluminium_t", "t", low=0.0)
_STATE = (positive("temperature_k", "K"), positive("pressure_mpa", "MPa"))
_LEVELS = {"level1": "kgce/t", "level2": "kgce/t", "level3": "kgce/t"}

OPERATIONS = (
    Operation("cement.process_factor", _OXIDES, {"co2_t_per_t_clinker": "t/t"}, _process_factor),
    Operation("cement.process_emission",
              (*_OXIDES, _CLINKER, number("kiln_dust_t", "t", low=0.0, default=0.0),
               number("bypass_dust_t", "t", low=0.0, default=0.0), fraction("bypass_calcined", default=1.0)),
              {"co2_t": "t"}, _process_emission),
    Operation("cement.process_deduction",
              (_CLINKER, positive("factor_t_per_t", "t/t"), numbers("material_t", "t", low=0.0, least=0),
               numbers("deduction_t_per_t", "t/t", low=0.0, least=0, like="material_t")), {"co2_t": "t"}, _deduction),
    Operation("cement.raw_meal_carbon", (number("raw_meal_dry_t", "t", low=0.0), fraction("carbon_fraction")),
              {"co2_t": "t"}, _raw_meal),
    Operation("combustion.measured_carbon",
              (number("fuel_t", "t", low=0.0), fraction("carbon_fraction"), fraction("oxidation")), {"co2_t": "t"},
              _measured_carbon),
    Operation("kiln.process_fuel_ratio",
              (fraction("co2_fraction_dry"), fraction("o2_fraction_dry"), positive("co2_per_o2_used")),
              {"process_per_fuel": "1"}, _kiln_ratio),
    Operation("steel.carbon_balance",
              (numbers("in_t", "t"), numbers("in_carbon", low=0.0, high=1.0, like="in_t"), numbers("out_t", "t"),
               numbers("out_carbon", low=0.0, high=1.0, like="out_t"),
               *(number(name, "t", low=0.0, default=0.0) for name in ("limestone_t", "dolomite_t", "electrode_t"))),
              {"net_carbon_t": "t", "direct_co2_t": "t"}, _steel),
    Operation("aluminium.anode", (positive("net_anode_t_per_t", "t/t"), fraction("sulphur"), fraction("ash")),
              {"co2_t_per_t": "t/t"}, _anode),
    Operation("aluminium.pfc_default", (_ALUMINIUM, _GWP_SET), {"co2e_kg": "kg"}, _pfc_default),
    Operation("aluminium.pfc_slope",
              (positive("slope", "kg/t per minute per cell-day"), number("c2f6_per_cf4", low=0.0),
               number("anode_effect_min_per_cell_day", "min per cell-day", low=0.0), _ALUMINIUM),
              {"cf4_t": "t", "c2f6_t": "t"}, _pfc_slope),
    Operation("aluminium.pfc_overvoltage",
              (positive("coefficient", "kg/t/mV"), number("overvoltage_mv", "mV", low=0.0),
               positive("current_efficiency_pct", "%", high=100.0), _ALUMINIUM), {"cf4_t": "t"}, _pfc_overvoltage),
    Operation("coal.methane",
              (number("volume_m3", "m3", low=0.0),
               positive("density_kg_per_m3", "kg/m3", default=constant(_MINE, "density_20c")), _GWP_SET),
              {"ch4_kg": "kg", "co2e_kg": "kg"}, _methane),
    Operation("gas.density",
              (positive("molar_mass_g_per_mol", "g/mol"), number("temperature_c", "°C", above=-273.15),
               positive("pressure_pa", "Pa", default=constant(_MINE, "standard_pressure"))), {"kg_per_m3": "kg/m3"},
              _density),
    Operation("gas.stock_change", tuple(number(name, "kg", low=0.0) for name in
              ("begin_kg", "bought_kg", "end_kg", "returned_kg")), {"emitted_kg": "kg"}, _stock_change),
    Operation("welding.shield_gas",
              (number("mixture_kg", "kg", low=0.0), numbers("volume_share", low=0.0, high=1.0),
               numbers("molar_mass_g_per_mol", "g/mol", above=0.0, like="volume_share")), {"co2_kg": "kg"},
              _shield_gas),
    Operation("electronics.tier2a",
              (number("used_kg", "kg", low=0.0), fraction("not_used_share"),
               number("by_product_kg_per_kg", "kg/kg", low=0.0, default=0.0),
               fraction("heel", default=constant(METHODS["electronics.tier-2a"], "heel")),
               fraction("abated_share", default=0.0), fraction("destroyed", default=0.0),
               fraction("by_product_destroyed", default=None)),
              {"gas_kg": "kg", "by_product_kg": "kg"}, _electronics),
    Operation("steam.enthalpy", _STATE, {"kj_per_kg": "kJ/kg"}, _enthalpy),
    Operation("steam.heat", (number("steam_t", "t"), *_STATE), {"gj": "GJ"}, _steam_heat),
    Operation("steam.saturation", _STATE[1:], {"temperature_k": "K"}, _saturation),
    Operation("heat.hot_water", (number("water_t", "t"), number("temperature_c", "°C")), {"gj": "GJ"}, _water_heat),
    Operation("norm.cement_energy", (percentage("clinker_ratio_pct"),), _LEVELS,
              _norm("cement", "clinker_ratio_pct")),
    Operation("norm.blast_furnace_energy", (percentage("iron_grade_pct"),), _LEVELS,
              _norm("blast_furnace", "iron_grade_pct")),
)  # fmt: skip
