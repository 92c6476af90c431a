# %%
import os

os.environ["KERAS_BACKEND"] = "jax"

# %%
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(7)

# %%
rng = np.random.default_rng(0)
images = rng.random((120, 8, 8, 1)).astype("float32")
brightness = images.mean(axis=(1, 2, 3))
labels = (brightness > np.median(brightness)).astype("int32")
images.shape, labels.mean()

# %%
def build(units=8):
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3, activation="relu")(inputs)
    hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dense(units, activation="relu")(hidden)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))

# %%
model = build()
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
model.count_params()

# %%
history = model.fit(images, labels, epochs=2, batch_size=30, verbose=0)  # edit: history = model.fit(images, labels, epochs=3, batch_size=30, verbose=0)
[round(value, 4) for value in history.history["loss"]]

# %%
scores = model.predict(images[:5], verbose=0)
print(scores.round(4).ravel())

# %%
weights = model.get_weights()
[weight.shape for weight in weights]

# %%
copy = build()
copy.set_weights(weights)
np.allclose(copy.predict(images[:5], verbose=0), scores)

# %%
first = keras.Input((16,))
code = layers.Dense(3, activation="relu")(first)
encoder = keras.Model(first, code)
autoencoder = keras.Model(first, layers.Dense(16)(code))
autoencoder.compile(optimizer="adam", loss="mse")

# %%
pixels = images[:, :4, :4, 0].reshape(120, 16)
autoencoder.fit(pixels, pixels, epochs=2, verbose=0)
[layer.name for layer in autoencoder.layers]

# %%
encoder.predict(pixels[:2], verbose=0).round(4)

# %%
last = autoencoder.layers[-1]
last.trainable = False
len(autoencoder.trainable_variables), keras.Model(first, code).predict(pixels[:2], verbose=0).round(4)

# %%
tower = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
front = keras.Model(tower.inputs, tower.layers[0].output)
kernel = tower.layers[0].kernel
mean = keras.metrics.Mean()

# %%
tower.layers[0].set_weights([np.ones((4, 3)), np.zeros(3)])
mean.update_state(3.0)

# %%
front.predict(np.ones((1, 4)), verbose=0), float(mean.result()), np.asarray(kernel)[0]
