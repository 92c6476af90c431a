# %%
import h5py
import numpy as np
import pandas as pd
import xarray as xr

xr.set_options(display_style="text", keep_attrs=True)

# %%
times = pd.date_range("2024-01-01", periods=24, freq="D")
rng = np.random.default_rng(2)
temperature = xr.DataArray(
    10 + rng.normal(size=(24, 3)).cumsum(axis=0),
    dims=("time", "station"),
    coords={"time": times, "station": ["hill", "town", "coast"]},
    name="temperature",
    attrs={"units": "degC"},
)
temperature.shape, temperature.attrs

# %%
weekly = temperature.resample(time="7D").mean()
weekly.round(2)

# %%
OFFSET = 273.15  # edit: OFFSET = 273.0
kelvin = (temperature + OFFSET).assign_attrs(units="K")
float(kelvin.sel(station="coast").mean().round(3)), kelvin.attrs

# %%
dataset = xr.Dataset({"temperature": temperature, "wet": temperature > 10})
dataset.wet.sum("time").values

# %%
warm = temperature.where(temperature > temperature.mean("time"), drop=False)
int(warm.notnull().sum()), warm.isel(time=0).to_series().round(2).to_dict()

# %%
with h5py.File("stations.h5", "w") as file:
    file.create_dataset("temperature", data=temperature.values)
    file["temperature"].attrs["units"] = "degC"

# %%
with h5py.File("stations.h5") as file:
    stored = file["temperature"][:5]
    units = file["temperature"].attrs["units"]
stored.mean(axis=0).round(3), units

# %%
temperature.groupby("time.dayofweek").mean().sel(station="hill").round(2).values

# %%
temperature.interp(time=times[:2] + pd.Timedelta("12h")).isel(station=0).round(3).values

# %%
temperature.to_dataframe().unstack("station").droplevel(0, axis=1).head(2).round(3)

# %%
xr.concat([temperature.isel(time=slice(0, 2)), temperature.isel(time=slice(2, 4))], dim="time").equals(temperature.isel(time=slice(0, 4)))
