"""Methods of calculated emissions and of heat, as data: what each presumes and owns.

They are evaluated over a period's amounts, so most are no computed points. Factors of
fuels, materials and grids are not here: they are versioned tables of their own.
"""

from ingest.methods.method import KILN_RATIO, NO_KERNEL, STEAM_HEAT, Method, MethodConstant, MethodInput

CO2_PER_CARBON = MethodConstant(
    "co2_per_carbon", "t/t", 44 / 12, "44/12, the convention of all standards", "P"
)
_LIME = MethodConstant("co2_per_cao", "t/t", 44 / 56, "GB/T 32151.8", "P")
_MAGNESIA = MethodConstant("co2_per_mgo", "t/t", 44 / 40, "GB/T 32151.8", "P")
_AL2024 = "CETS-AG-04.01, one public implementation"
_IPCC_PFC = "IPCC 2006 vol. 3 table 4.16, as in public data"

CLINKER_FACTORS = tuple(
    MethodConstant(f"{kind}_clinker", "t/t", value, "CETS-AG-02.01-V01-2024, one public implementation", "P")
    for kind, value in (
        ("portland", 0.535),
        ("white", 0.550),
        ("sulphoaluminate", 0.413),
        ("aluminate", 0.292),
    )
)
"""Process CO2 per t of clinker by the 2024 route, before deductions."""

PFC_SLOPES = tuple(
    MethodConstant(f"{kind}_{name}", unit, value, _IPCC_PFC, "R")
    for kind, slope, share in (
        ("cwpb", 0.143, 0.121), ("swpb", 0.272, 0.252), ("vss", 0.092, 0.053), ("hss", 0.099, 0.085),
    )
    for name, unit, value in (("slope", "kg/t", slope), ("c2f6_per_cf4", "1", share))
)  # fmt: skip
"""By cell technology: kg CF4/t per minute of anode effect per cell-day, and C2F6 by CF4."""


def _row(
    id_: str, title: str, regime: str, edition: str, equation: str, *constants: MethodConstant
) -> Method:
    return Method(id_, NO_KERNEL, title, regime, edition, equation, constants=constants)


_CN, _GB = "China ETS", "GB/T 32151"

CALCULATION = (
    _row("combustion.default", "Fuel by calorific value and carbon per heat", "own", "1",
         "FC · NCV · CC · OF · 44/12", CO2_PER_CARBON),
    _row("combustion.measured-carbon", "Fuel by its measured carbon", "own", "1", "FC · C · OF · 44/12",
         CO2_PER_CARBON),
    _row("40cfr98.c-1", "Fuel by its default high heat value and factor", "40 CFR 98", "2016",
         "C-1: 1e-3 · Fuel · HHV · EF", MethodConstant("t_per_kg", "t/kg", 1e-3, "40 CFR 98.33 C-1", "R")),
    _row("cement.oxides", "Clinker, kiln dust and calcined bypass dust by their oxides", _GB, "32151.8-2015",
         "Q · [(CaO - CaO_nc) · 44/56 + (MgO - MgO_nc) · 44/40]", _LIME, _MAGNESIA),
    _row("cement.2024", "Clinker by default factor less deductions for other materials", _CN,
         "CETS-AG-02.01-V01-2024", "Q · EF - Σ m · d, not below 0", *CLINKER_FACTORS),
    _row("cement.raw-meal-carbon", "Organic carbon of the dry raw meal", _GB, "32151.8-2015",
         "m · FR0 · 44/12", CO2_PER_CARBON,
         MethodConstant("fr0_least", "1", 0.001, "GB/T 32151.8", "unconfirmed"),
         MethodConstant("fr0_most", "1", 0.003, "GB/T 32151.8", "unconfirmed")),
    _row("carbon.balance", "Carbon balance over one boundary", "own", "1", "(Σ in · C - Σ out · C) · 44/12",
         CO2_PER_CARBON),
    _row("steel.boundary-balance", "Carbon balance over the fence of a works, with flux and electrodes", _GB,
         "32151.5-2015", "net carbon · 44/12 + Σ flux · f + electrodes · f", CO2_PER_CARBON,
         MethodConstant("limestone", "t/t", 0.440, "GB/T 32151.5", "unconfirmed"),
         MethodConstant("dolomite", "t/t", 0.471, "GB/T 32151.5", "unconfirmed"),
         MethodConstant("electrode", "t/t", 3.663, "CETS-AG-03.01-V01-2024, quoted", "P")),
    _row("aluminium.anode", "Net anode less sulphur and ash", _CN, "CETS-AG-04.01", "NC · (1 - S - A) · 44/12",
         CO2_PER_CARBON),
    _row("aluminium.pfc-default", "PFC per t of aluminium by default", _CN, "CETS-AG-04.01",
         "P · (CF4 · GWP + C2F6 · GWP)",
         MethodConstant("cf4", "kg/t", 0.034, _AL2024, "P"), MethodConstant("c2f6", "kg/t", 0.0034, _AL2024, "P")),
    _row("aluminium.pfc-slope", "PFC by minutes of anode effect", "IPCC", "2006", "slope · AEM · P", *PFC_SLOPES,
         MethodConstant("c2f6_per_cf4_china", "1", 0.1, _AL2024, "P")),
    _row("aluminium.pfc-overvoltage", "PFC by anode effect overvoltage", "IPCC", "2006", "OVC · AEO / CE · P",
         MethodConstant("cwpb_coefficient", "kg/t/mV", 1.16, _IPCC_PFC, "R"),
         MethodConstant("swpb_coefficient", "kg/t/mV", 3.65, _IPCC_PFC, "R")),
    _row("coal.methane", "Methane of a mine by volume and density", "IPCC", "2006", "V · density · GWP",
         MethodConstant("density_20c", "kg/m3", 0.67, "IPCC 2006 vol. 2 ch. 4, 20 °C, 1 atm", "P"),
         MethodConstant("molar_mass", "g/mol", 16.043, "atomic weights of IUPAC", "P"),
         MethodConstant("gas_constant", "J/mol/K", 8.314462618, "CODATA 2018", "R"),
         MethodConstant("standard_pressure", "Pa", 101325.0, "standard atmosphere", "R")),
    _row("gas.stock-change", "Gas that left a system by its stock", "own", "1", "begin + bought - end - returned"),
    _row("welding.shield-gas", "CO2 of a shield gas mixture", "own", "1", "W · x · 44 / Σ x · M"),
    _row("electronics.tier-2a", "Etch and CVD gases", "IPCC", "2006",
         "FC · (1 - h) · (1 - U) · (1 - a · d) and FC · (1 - h) · B · (1 - a · d')",
         MethodConstant("heel", "1", 0.10, "IPCC 2006 vol. 3 ch. 6", "P")),
    Method("steam.heat", STEAM_HEAT, "Heat of steam above its feed by IAPWS-IF97", "IAPWS", "R7-97(2012)",
           "m · (h - h_feed) · 1e-3",
           (MethodInput("flow", "t/h"), MethodInput("temperature", "K"), MethodInput("pressure", "MPa", ("abs",))),
           (MethodConstant("feed", "kJ/kg", 83.74, "enthalpy of water at 20 °C in GB/T 32151", "unconfirmed"),),
           "GJ/h"),
    _row("water.heat", "Heat of hot water above its feed", "GB/T 32151", "1", "m · (T - 20) · 4.1868 · 1e-3",
         MethodConstant("feed", "°C", 20.0, "GB/T 32151", "unconfirmed"),
         MethodConstant("heat_capacity", "kJ/kg/K", 4.1868, "GB/T 32151", "unconfirmed")),
    Method("kiln.process-fuel-ratio", KILN_RATIO, "Process CO2 by fuel CO2 from dry gas alone", "own", "1",
           "c / (RQ · (n · 0.26502 - o)) - 1", (MethodInput("co2", "1", ("dry",)), MethodInput("o2", "1", ("dry",))),
           (MethodConstant("quotient", "1", None, "CO2 formed by O2 used of the fuel", "plant"),
            MethodConstant("air", "1", 0.2095, "oxygen of dry air", "P")), "1"),
)  # fmt: skip
