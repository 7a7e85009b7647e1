"""A plant's chain over a span: what each stage emitted, took over and passed on, closing to the last bit.

Stored rows become facts of a walk (`ingest.footprint`), day by day from the opening of the books. Carried is
one account: calculated, gross, told by meters; the measured route, other accounts and documents stay beside.
Where the plan has location-based emissions, CO2e counts these, and market-based ones are lines only. Gases are
carried apart and become CO2e in the answer. It states no uncertainty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ingest.footprint.balance import LEFT, Bought, Emitted, Fact, Made, Used, Walk, walk
from ingest.footprint.chain import Stage, in_order, upstream
from ingest.footprint.stock import Stock, add
from ingest.plant.plan import Plan, PlanSource
from ingest.plant.stage_plan import PlanProduct
from service.as_of import Known
from service.stage_documents import (
    CarriedDocument,
    ClosingDocument,
    OutputDocument,
    ProductFootprintDocument,
    StageDocument,
    StageLine,
    StagesDocument,
)
from service.stage_rows import StageRows, grid_of, on_grid
from service.times import format_instant

BOUGHT, OPENING = "bought", "opening"
"""Kinds of content that are CO2e already."""
KG_PER_T = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """A walked chain and what turns it into an answer."""

    plan: Plan
    rows: StageRows
    known: Known
    k: int
    """Contents are whole numbers of 2^-k kg."""
    sources: Mapping[str, PlanSource]
    """One per kind of content."""
    before: Mapping[str, Stock]
    """The stocks at `from`."""
    walked: Walk
    outside: Mapping[str, int]

    def co2e_kg(self, content: Mapping[str, int]) -> Fraction:
        """Of a content, exact; market-based emissions only where the plan has no location-based ones."""
        located = any(one.basis == "location" for one in self.sources.values())
        found = Fraction(0)
        for kind, amount in content.items():
            source = self.sources.get(kind)
            if source is None or not located or source.basis != "market":
                found += amount * Fraction(1 if source is None else source.co2e_per_kg)
        return found / (1 << self.k)

    def lines(self, content: Mapping[str, int]) -> list[StageLine]:
        """Of own emissions, kind by kind."""
        made = []
        for kind in sorted(content):
            source, mass = self.sources[kind], Fraction(content[kind], 1 << self.k)
            made.append(
                StageLine(
                    scope=source.scope,
                    gas=source.gas,
                    basis=source.basis,
                    supply=source.supply,
                    mass_kg=float(mass),
                    co2e_kg=float(mass * Fraction(source.co2e_per_kg)),
                )
            )
        return made


def kind_of(source: PlanSource) -> str:
    """What is summed of emissions: one gas of one scope, basis and supply."""
    return f"{source.scope}|{source.gas}|{source.basis or ''}|{source.supply or ''}"


def walked(plan: Plan, rows: StageRows, known: Known) -> Chain:
    """The chain over [from, to), from the stocks that the days before it left."""
    chain = plan.stages
    sources = {one.id: one for one in plan.sources if one.route == "calculated" and one.account == "gross"}
    k = grid_of(
        [
            *(mass for part in rows.masses.values() for mass in part),
            *(one.kg_per_count for one in chain.bought if one.kg_per_count is not None),
            *(one.opening_co2e_kg for one in chain.products.values()),
        ]
    )
    own, outside = _emitted(plan, rows, sources, k)
    facts = [*own, *_counted(plan, rows, k)]
    first = rows.edges.index(rows.from_at)
    stages = _with_sources(plan)
    before = walk(stages, _opening(plan, rows, k), (one for one in facts if one.step < first)).stocks
    done = walk(stages, before, (one for one in facts if one.step >= first))
    kinds = {kind_of(one): one for one in sources.values()}
    return Chain(plan, rows, known, k, kinds, before, done, outside)


def _with_sources(plan: Plan) -> tuple[Stage, ...]:
    """The stages, each buying too what is not known of its sources: so a gap in them is a reason downstream."""
    every = (*plan.stages.sources.items(), *plan.stages.uncarried.items())
    return tuple(
        Stage(
            stage.id,
            stage.outputs,
            stage.key,
            stage.inputs,
            (
                *stage.bought,
                *(_all_of(source) for source, owner in every if owner == stage.id),
            ),
        )
        for stage in plan.stages.stages
    )


def _all_of(source: str) -> str:
    return f"all of {source}"


def _emitted(
    plan: Plan, rows: StageRows, sources: Mapping[str, PlanSource], k: int
) -> tuple[list[Fact], dict[str, int]]:
    facts: list[Fact] = []
    outside: dict[str, int] = {}
    first = rows.edges.index(rows.from_at)
    for (source_id, step), masses in rows.masses.items():
        content = {kind_of(sources[source_id]): sum(on_grid(mass, k) for mass in masses)}
        owner = plan.stages.sources.get(source_id)
        if owner is not None:
            facts.append(Emitted(step, owner, content))
        elif step >= first:
            add(outside, content)
    for source_id, step in rows.short:
        owner = plan.stages.sources.get(source_id)
        if owner is not None:
            facts.append(Bought(step, owner, _all_of(source_id), None))
    for step in range(len(rows.edges) - 1):
        for source_id, owner in plan.stages.uncarried.items():
            facts.append(Bought(step, owner, _all_of(source_id), None))
    return facts, outside


def _counted(plan: Plan, rows: StageRows, k: int) -> Iterable[Fact]:
    chain = plan.stages
    for step in range(len(rows.edges) - 1):
        for product in chain.products.values():
            yield Made(step, product.id, rows.counts[product.made, step])
            if product.leaves is not None:
                yield Used(step, product.id, LEFT, rows.counts[product.leaves, step])
        for (stage, product_id), point in chain.taken.items():
            yield Used(step, product_id, stage, rows.counts[point, step])
        for goods in chain.bought:
            count = rows.counts[goods.point, step]
            if count == 0:
                continue
            unknown = count is None or goods.kg_per_count is None
            kg = 0 if count is None or goods.kg_per_count is None else count * on_grid(goods.kg_per_count, k)
            yield Bought(step, goods.stage, goods.goods, None if unknown else {BOUGHT: kg})


def _opening(plan: Plan, rows: StageRows, k: int) -> dict[str, Stock]:
    """The stocks where the walk begins; what was in stock before the books is not known."""
    chain = plan.stages
    opened = chain.opened_at is not None and chain.opened_at == rows.edges[0]
    found = {}
    for product in chain.products.values():
        count = product.opening_count
        if opened and count is not None:
            found[product.id] = Stock(count, {OPENING: on_grid(product.opening_co2e_kg, k)} if count else {})
        else:
            at = format_instant(rows.edges[0])
            found[product.id] = Stock(0, {}, {f"{product.id}: what was in stock at {at} is not known"})
    return found


def chain_document(chain: Chain) -> StagesDocument:
    """The whole chain with its balance."""
    plan, done = chain.plan, chain.walked
    totals: dict[str, int] = dict(chain.outside)
    for content in done.own.values():
        add(totals, content)
    return StagesDocument(
        site=plan.site,
        from_=chain.rows.from_at,
        to=chain.rows.to_at,
        books_begin=chain.rows.edges[0],
        stages=[_stage(chain, stage) for stage in in_order(plan.stages.stages)],
        outside=chain.lines(chain.outside),
        totals=chain.lines(totals),
        balance=_balance(chain),
        plan_version=plan.version,
        as_of=chain.known.document,
    )


def _sum(chain: Chain, contents: Iterable[Mapping[str, int]]) -> Fraction:
    return sum((chain.co2e_kg(content) for content in contents), Fraction(0))


def _balance(chain: Chain) -> ClosingDocument:
    done = chain.walked
    ins = [
        _sum(chain, (stock.content for stock in chain.before.values())),
        _sum(chain, done.own.values()),
        _sum(chain, done.bought.values()),
    ]
    outs = [
        _sum(chain, (drawn.content for part in done.left.values() for drawn in part)),
        _sum(chain, (stock.content for stock in done.stocks.values())),
        _sum(chain, done.without_production.values()),
        _sum(chain, done.uncounted.values()),
    ]
    names = ("opening", "own", "bought", "left", "stock", "without_production", "uncounted")
    told = {name: float(value) for name, value in zip(names, (*ins, *outs), strict=True)}
    return ClosingDocument(**told, difference=float(sum(ins, Fraction(0)) - sum(outs, Fraction(0))))


def _stage(chain: Chain, stage: Stage) -> StageDocument:
    plan, done = chain.plan, chain.walked
    return StageDocument(
        id=stage.id,
        name=plan.stages.names[stage.id],
        own=chain.lines(done.own.get(stage.id, {})),
        own_co2e_kg=float(chain.co2e_kg(done.own.get(stage.id, {}))),
        bought_co2e_kg=float(chain.co2e_kg(done.bought.get(stage.id, {}))),
        inputs=[_carried(chain, stage, product) for product in stage.inputs],
        without_production_co2e_kg=float(chain.co2e_kg(done.without_production.get(stage.id, {}))),
        uncounted_co2e_kg=float(chain.co2e_kg(done.uncounted.get(stage.id, {}))),
        outputs=[_output(chain, plan.stages.products[product]) for product in stage.outputs],
    )


def _carried(chain: Chain, stage: Stage, product_id: str) -> CarriedDocument:
    product = chain.plan.stages.products[product_id]
    point, rows = chain.plan.stages.taken[stage.id, product_id], chain.rows
    first = rows.edges.index(rows.from_at)
    counts = [rows.counts[point, step] for step in range(first, len(rows.edges) - 1)]
    known = [count for count in counts if count is not None]
    return CarriedDocument(
        product=product_id,
        quantity=_quantity(product, sum(known)) if len(known) == len(counts) else None,
        unit=product.unit,
        co2e_kg=float(chain.co2e_kg(chain.walked.carried_in.get((stage.id, product_id), {}))),
    )


def _quantity(product: PlanProduct, count: int) -> float:
    return float(count * Fraction(str(product.resolution)))


def _output(chain: Chain, product: PlanProduct) -> OutputDocument:
    done, before = chain.walked, chain.before[product.id]
    output, after, left = done.outputs[product.id], done.stocks[product.id], done.left.get(product.id, [])
    return OutputDocument(
        product=product.id,
        unit=product.unit,
        quantity=_quantity(product, output.quantity),
        co2e_kg=float(chain.co2e_kg(output.content)),
        left_quantity=_quantity(product, sum(one.quantity for one in left)),
        left_co2e_kg=float(_sum(chain, (one.content for one in left))),
        stock_before=_quantity(product, before.quantity),
        stock_before_co2e_kg=float(chain.co2e_kg(before.content)),
        stock_after=_quantity(product, after.quantity),
        stock_after_co2e_kg=float(chain.co2e_kg(after.content)),
        reasons=sorted(output.reasons),
    )


def product_document(chain: Chain, product_id: str) -> ProductFootprintDocument:
    """What a unit of a product carries; the product is one of the chain's."""
    plan, product = chain.plan, chain.plan.stages.products[product_id]
    output = chain.walked.outputs[product_id]
    co2e_kg = chain.co2e_kg(output.content)
    reasons = sorted(output.reasons) or ([] if output.quantity else [f"{product_id}: nothing was made"])
    amount = output.quantity * Fraction(str(product.resolution))
    return ProductFootprintDocument(
        id=product_id,
        site=plan.site,
        from_=chain.rows.from_at,
        to=chain.rows.to_at,
        value=None if reasons else float(co2e_kg / amount / KG_PER_T),
        unit=f"t/{product.unit}",
        reasons=reasons,
        quantity=float(amount),
        co2e_kg=float(co2e_kg),
        stages=[_stage(chain, stage) for stage in upstream(plan.stages.stages, product_id)],
        plan_version=plan.version,
        as_of=chain.known.document,
    )
