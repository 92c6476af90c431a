# %%
import math

import numba
import numpy as np
import pandas as pd
from joblib import Memory, Parallel, delayed
from tqdm.auto import tqdm

tqdm.pandas()

# %%
@numba.njit
def escape(real, imaginary, limit):
    z = 0j
    c = complex(real, imaginary)
    for step in range(limit):
        z = z * z + c
        if abs(z) > 2:
            return step
    return limit

escape(0.3, 0.5, 50)

# %%
LIMIT = 30  # edit: LIMIT = 20
grid = np.array([[escape(x, y, LIMIT) for x in np.linspace(-2, 1, 30)] for y in np.linspace(-1, 1, 20)])
grid.sum(), grid.max()

# %%
@numba.vectorize
def clipped(value, least):
    return least if value < least else value

clipped(np.array([1.0, -2.0, 3.0]), 0.0)

# %%
def is_prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))

# %%
found = Parallel(n_jobs=2)(delayed(is_prime)(number) for number in range(100))
sum(found)

# %%
total = 0
for number in tqdm(range(50), disable=True):
    total += number
total

# %%
frame = pd.DataFrame({"n": range(20)})
frame["prime"] = frame.n.progress_apply(is_prime)
frame.prime.sum()

# %%
memory = Memory("joblib-cache", verbose=0)

@memory.cache
def slow_square(value):
    return value * value

[slow_square(value) for value in (2, 3, 2)]

# %%
@numba.njit
def running_mean(values, width):
    result = np.empty(len(values) - width + 1)
    for start in range(len(result)):
        result[start] = values[start : start + width].mean()
    return result

running_mean(np.arange(8.0), 3)
