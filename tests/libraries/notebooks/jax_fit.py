# %%
import jax
import jax.numpy as jnp
from jax import grad, jit, random, vmap

jax.config.update("jax_enable_x64", True)

# %%
key = random.PRNGKey(0)
key, data_key, noise_key = random.split(key, 3)
x = random.uniform(data_key, (80,), minval=-2.0, maxval=2.0)
y = 1.5 * x**2 - 0.5 * x + 0.3 + 0.1 * random.normal(noise_key, x.shape)
x.dtype, x.shape, round(float(y.mean()), 6)

# %%
def predict(params, x):
    a, b, c = params["a"], params["b"], params["c"]
    return a * x**2 + b * x + c

def loss(params, x, y):
    return jnp.mean((predict(params, x) - y) ** 2)

params = {"a": 0.0, "b": 0.0, "c": 0.0}
float(loss(params, x, y))

# %%
RATE = 0.05  # edit: RATE = 0.02

@jit
def update(params, x, y):
    slopes = grad(loss)(params, x, y)
    return jax.tree.map(lambda p, g: p - RATE * g, params, slopes)

# %%
history = []
fitted = params
for epoch in range(60):
    fitted = update(fitted, x, y)
    if epoch % 20 == 0:
        history.append(float(loss(fitted, x, y)))
[round(value, 5) for value in history]

# %%
{name: round(float(value), 4) for name, value in fitted.items()}

# %%
slope = vmap(grad(lambda v: predict(fitted, v)))
print(slope(jnp.array([-1.0, 0.0, 1.0])).round(3))

# %%
matrix = jnp.arange(9.0).reshape(3, 3)
changed = matrix.at[1, :].set(0.0)
print(changed)
changed.sum()

# %%
hessian = jax.hessian(lambda v: (v**3).sum())(jnp.array([1.0, 2.0]))
hessian

# %%
carry, partial_sums = jax.lax.scan(lambda total, v: (total + v, total + v), 0.0, jnp.arange(1.0, 6.0))
print(carry, partial_sums)
