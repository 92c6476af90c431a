# %%
import random

import pint
import simpy

random.seed(42)

# %%
ureg = pint.UnitRegistry()
ureg.define("lap = 400 * meter")  # edit: ureg.define("lap = 440 yard")
Q = ureg.Quantity

# %%
distance = 25 * ureg.lap
speed = Q(4.2, "meter / second")
print(distance.to("kilometer"), (distance / speed).to("minute").round(2))

# %%
(Q(20, "degC").to("kelvin")).magnitude, Q("3 feet + 4 inch").to("cm").round(2)

# %%
def customer(env, name, counter, log):
    arrived = env.now
    with counter.request() as request:
        yield request
        waited = env.now - arrived
        yield env.timeout(random.expovariate(1 / 6))
        log.append((name, round(waited, 2), round(env.now, 2)))

# %%
def run_shop(customers, counters):
    env = simpy.Environment()
    counter = simpy.Resource(env, capacity=counters)
    log = []

    def arrivals():
        for number in range(customers):
            env.process(customer(env, f"c{number}", counter, log))
            yield env.timeout(random.expovariate(1 / 4))

    env.process(arrivals())
    env.run()
    return log

# %%
log = run_shop(8, counters=1)
log[:3]

# %%
sum(waited for _, waited, _ in log) / len(log)

# %%
better = run_shop(8, counters=2)
max(done for _, _, done in better)

# %%
try:
    Q(3, "meter") + Q(1, "second")
except pint.DimensionalityError as error:
    print(error)
