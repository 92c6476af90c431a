# %%
import cv2
import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from skimage import exposure, feature, filters, measure, morphology

# %%
canvas = Image.new("L", (96, 64), 20)
draw = ImageDraw.Draw(canvas)
draw.rectangle((8, 8, 30, 40), fill=200)
draw.ellipse((50, 20, 80, 50), fill=150)  # edit: draw.ellipse((50, 20, 84, 54), fill=150)
canvas

# %%
pixels = np.asarray(canvas)
pixels.shape, pixels.mean().round(3), np.unique(pixels)

# %%
threshold = filters.threshold_otsu(pixels)
mask = pixels > threshold
labelled = measure.label(mask)
[(region.label, int(region.area), round(region.eccentricity, 3)) for region in measure.regionprops(labelled)]

# %%
edges = filters.sobel(pixels / 255.0)
skeleton = morphology.skeletonize(mask)
print(edges.max().round(4), int(skeleton.sum()))

# %%
blurred = cv2.GaussianBlur(pixels, (5, 5), 0)
_, binary = cv2.threshold(blurred, 100, 255, cv2.THRESH_BINARY)
contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
sorted(int(cv2.contourArea(contour)) for contour in contours)

# %%
colour = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
cv2.circle(colour, (48, 32), 6, (0, 0, 255), 2)
colour[:, :, 2].sum()

# %%
iio.imwrite("shapes.png", pixels)
canvas.filter(ImageFilter.GaussianBlur(2)).save("blurred.png")

# %%
frames = [iio.imread("shapes.png"), cv2.imread("blurred.png", cv2.IMREAD_GRAYSCALE)]
[frame.mean().round(3) for frame in frames]

# %%
with Image.open("shapes.png") as picture:
    size, mode = picture.size, picture.mode
    small = picture.resize((24, 16))
size, mode, np.asarray(small).sum()

# %%
stretched = exposure.rescale_intensity(pixels, out_range=(0, 255)).astype(np.uint8)
corners = feature.corner_peaks(feature.corner_harris(stretched), min_distance=5, threshold_rel=0.1)
len(corners), stretched.max()

# %%
ImageOps.invert(canvas).getpixel((60, 30)), canvas.histogram()[200]
