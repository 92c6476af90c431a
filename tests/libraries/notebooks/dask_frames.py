# %%
import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask import delayed

dask.config.set(scheduler="synchronous")

# %%
frame = pd.DataFrame({"key": list("abcd") * 25, "value": np.arange(100.0)})
ddf = dd.from_pandas(frame, npartitions=4)
ddf.npartitions, list(ddf.columns)

# %%
means = ddf.groupby("key").value.mean().compute().sort_index()
means

# %%
@delayed
def load(part):
    return list(range(part * 3, part * 3 + 3))

@delayed
def clean(rows):
    return [row for row in rows if row % 2]  # edit: return [row for row in rows if row % 3]

# %%
total = delayed(sum)([delayed(sum)(clean(load(part))) for part in range(4)])
total.compute()

# %%
grid = da.arange(36, chunks=12).reshape((6, 6))
blocks = (grid + grid.T).mean(axis=0)
print(blocks.compute())

# %%
for part in range(3):
    frame[part::3].to_csv(f"part-{part}.csv", index=False)

# %%
parts = dd.read_csv("part-*.csv")
parts.value.sum().compute(), len(parts)

# %%
with dask.config.set({"array.slicing.split_large_chunks": False}):
    kept = dask.config.get("array.slicing.split_large_chunks")
kept, dask.config.get("scheduler")
