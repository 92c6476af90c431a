# %%
import datetime as dt
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

pl.Config.set_tbl_rows(6)

# %%
orders = pl.DataFrame(
    {
        "order": range(1, 9),
        "customer": ["ann", "bob", "ann", "cid", "bob", "ann", "dee", "cid"],
        "amount": [12.5, 3.0, 8.25, 20.0, 7.5, 1.0, 4.0, 9.75],
        "day": [dt.date(2024, 1, day) for day in (1, 1, 2, 3, 3, 5, 6, 8)],
    }
)
orders

# %%
orders.write_csv("orders.csv")
orders.write_parquet("orders.parquet")
sorted(path.name for path in Path().glob("orders.*"))

# %%
LEAST = 5  # edit: LEAST = 4
lazy = pl.scan_csv("orders.csv", try_parse_dates=True).filter(pl.col("amount") >= LEAST)

# %%
by_customer = lazy.group_by("customer").agg(pl.len().alias("n"), pl.col("amount").sum()).sort("customer").collect()
by_customer

# %%
context = pl.SQLContext(register_globals=True, eager=True)
context.execute("select customer, amount from orders where amount > 5 order by amount desc")

# %%
weekly = orders.with_columns(pl.col("day").dt.truncate("1w").alias("week")).group_by("week").agg(pl.col("amount").mean()).sort("week")
print(weekly)

# %%
customers = pl.DataFrame({"customer": ["ann", "bob", "cid"], "town": ["Ulm", "Bonn", "Kiel"]})
joined = orders.join(customers, on="customer", how="left")
joined.select("order", "customer", "town").tail(3)

# %%
ranked = orders.with_columns(pl.col("amount").rank().over("customer").alias("rank"), (pl.col("amount") / pl.col("amount").sum()).round(3).alias("share"))
ranked.pivot(on="rank", index="customer", values="amount").sort("customer")

# %%
table = pq.read_table("orders.parquet")
table.schema

# %%
mask = pc.greater(table["amount"], pa.scalar(float(LEAST)))
table.filter(mask).num_rows, pc.sum(table["amount"]).as_py()

# %%
read_back = pl.from_arrow(table)
read_back.equals(orders)
