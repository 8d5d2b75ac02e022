//! Rules of the formats that are not pickles, archives of them, ONNX or safetensors.

use tagship_domain::validation::{Severity, Status};

use super::Rule;

rules! {
    LIST:
    // Findings in any model
    NON_FINITE "INT121" Medium Complete
        "a weight that is no number or infinite"
        "Check the training run; such a model answers with NaN.";
    // GGUF integrity
    GGUF_TRUNCATED "INT701" High Error
        "the file ends before what its header declares"
        "Write the file again, or fetch it again; it is cut.";
    GGUF_HEADER "INT702" High Error
        "a version, count or length that cannot be"
        "Write the file again with a current converter.";
    GGUF_KEY "INT703" High Error
        "a malformed or repeated key or value"
        "Write the file again with a current converter.";
    GGUF_TENSOR "INT704" High Error
        "a tensor whose description contradicts itself"
        "Write the file again with a current converter.";
    GGUF_LAYOUT "INT705" High Error
        "tensor data outside the file, overlapping or not aligned"
        "Write the file again with a current converter.";
    GGUF_TYPE "INT706" Medium Incomplete
        "an element type that is not known here"
        "Quantise with a released type, or update Tagship.";
    // GGUF security
    GGUF_BOMB "GGU101" High Error
        "a count far beyond the file"
        "Do not load this file; it makes a reader reserve or overwrite memory.";
    GGUF_HIDDEN "GGU102" High Complete
        "bytes that belong to no tensor"
        "Write the file again; nothing explains these bytes.";
    GGUF_LIMIT "GGU103" Medium Incomplete
        "more keys or tensors than can be followed in bounded memory"
        "Split the model.";
    GGUF_CODE_KEY "GGU104" Medium Complete
        "a key that refers to code beside the model"
        "Remove the key; ship the model without remote code.";
    // Templates
    TEMPLATE_INTERNALS "SEC201" Critical Complete
        "a template that reaches the interpreter"
        "Do not use this tokenizer; rendering its template can run code.";
    TEMPLATE_COMPUTED "SEC202" High Complete
        "a template that looks up names which it puts together"
        "Write the names out; templates of models have no reason to hide them.";
    TEMPLATE_INCLUDE "SEC203" High Complete
        "a template that reads other files"
        "Put the whole template into one text.";
    TEMPLATE_UNREAD "SEC204" Medium Incomplete
        "a template that was not understood"
        "Write it in plain Jinja, or remove it.";
    // Keras and HDF5 integrity
    KERAS_CONFIG "INT801" High Error
        "a configuration that is not the one of a model"
        "Save the model again with Keras.";
    // skops
    SKOPS_SCHEMA "INT803" High Error
        "a schema that does not describe a model"
        "Save the model again with skops.";
    SKOPS_GADGET "SKO101" Critical Complete
        "a type or function that reaches code"
        "Do not load this file; no plain model needs it.";
    SKOPS_TYPE "SKO102" High Complete
        "a type that is not on the allow-list"
        "Review the type, or export the model as ONNX.";
    SKOPS_NUMBERS "SKO103" Critical Complete
        "numbers that lead outside of the model's own memory"
        "Do not load this file; skops writes no such model by accident.";
    SKOPS_LIMIT "SKO201" Medium Incomplete
        "parts that are not followed, or more than can be in bounded memory"
        "Write the model again with skops, or export it as ONNX.";
    // HDF5 integrity
    HDF5_STRUCTURE "INT811" High Error
        "a structure that contradicts the format"
        "Save the model again; the file is damaged.";
    HDF5_TRUNCATED "INT812" High Error
        "the file ends before what it declares"
        "Save or fetch the file again; it is cut.";
    HDF5_EXTENT "INT813" High Error
        "data that does not lie where its shape says"
        "Save the model again; the file is damaged.";
    HDF5_PACKED "INT814" High Error
        "packed data that cannot be unpacked"
        "Save or fetch the file again; it is damaged.";
    // HDF5 security
    HDF5_EXTERNAL "HDF101" Critical Complete
        "data or links that lead out of the file"
        "Do not load this file; it makes the loader read files of the machine.";
    HDF5_FILTER "HDF102" Medium Complete
        "a filter that needs a native library"
        "Save the model with the filters that come with HDF5.";
    HDF5_BOMB "HDF103" High Complete
        "a shape that expands far beyond the file"
        "Do not load this file; it makes a reader reserve memory without bound.";
    HDF5_TRAILING "HDF104" High Complete
        "bytes behind the end that the file declares"
        "Save the model again; nothing explains these bytes.";
    HDF5_LIMIT "HDF201" Medium Incomplete
        "a part of HDF5 that is not followed"
        "Save the model with Keras's own settings, or as safetensors.";
    // Keras security
    KERAS_LAMBDA "KER101" Critical Complete
        "a Python function inside the model"
        "Do not load this file; replace the Lambda by a layer of Keras.";
    KERAS_CODE "KER102" Critical Complete
        "an object that loads or runs what the file brings along"
        "Do not load this file; use layers that only compute.";
    KERAS_MODULE "KER103" Critical Complete
        "an object outside of Keras"
        "Do not load this file; a model needs classes of Keras only.";
    KERAS_OUTSIDE "KER104" High Complete
        "a setting that makes loading read a file or an address"
        "Save the model with the list itself.";
    KERAS_DUPLICATE "KER105" High Complete
        "a key that an object has twice"
        "Save the model again with Keras; no writer makes such a file by accident.";
    KERAS_MEMBER "KER106" High Complete
        "a member that a Keras archive has no reason to hold"
        "Save the model again with Keras; nothing in the format needs this file.";
    KERAS_CUSTOM "KER201" Medium Complete
        "a class or function that is not part of Keras"
        "Review the code that defines it, or rebuild the model from layers of Keras.";
    // TensorFlow integrity
    TF_GRAPH "INT901" High Error
        "a graph without nodes or operators"
        "Save the model again with TensorFlow.";
    TF_WIRE "INT902" High Error
        "the file is no sound protobuf"
        "Save or fetch the file again; it is cut or damaged.";
    TF_FIELD "INT903" Medium Incomplete
        "a field that TensorFlow does not define"
        "Save the model with a released TensorFlow, or update Tagship.";
    TF_TENSOR "INT904" High Error
        "shape and type do not give the size of the data"
        "Save the model again with TensorFlow.";
    TF_ASSET "INT905" High Error
        "a file that the model reads is missing"
        "Put the assets beside the model.";
    TF_TABLE "INT906" High Error
        "an index of a checkpoint that cannot be read"
        "Save or fetch the checkpoint again; it is cut or damaged.";
    TF_SHARD "INT907" High Error
        "a data file of a checkpoint is missing or too short"
        "Put all files of the checkpoint beside each other, complete.";
    // TensorFlow security
    TF_CODE "TFS101" Critical Complete
        "an operator that runs code, or reads and writes files"
        "Do not load this file.";
    TF_OUTSIDE "TFS102" High Complete
        "an operator that reads data sets, writes logs or connects"
        "Export the model for serving, without its input pipeline.";
    TF_ASSET_PATH "TFS103" Critical Complete
        "an asset outside of the model"
        "Do not load this file; it makes the loader read files of the machine.";
    TF_BOMB "TFS104" High Complete
        "a constant that expands far beyond the file"
        "Do not load this file; it makes a loader reserve memory without bound.";
    TF_NESTING "TFS105" High Error
        "messages nested deeper than any model"
        "Do not load this file; it exhausts the stack of a loader.";
    TF_CHECKPOINT_PATH "TFS106" Critical Complete
        "a checkpoint at a place that the model names itself"
        "Do not load this file; running it reads or writes a file of the machine.";
    TF_LIMIT "TFS201" Medium Incomplete
        "places that are not followed, or more than can be in bounded memory"
        "Let the loader say where to read and write, or split the model.";
    TF_UNKNOWN "TFS202" Medium Incomplete
        "an operator that is not known"
        "Export the model with operators of TensorFlow alone, or review the library that adds this one.";
    // FlatBuffers: TensorFlow Lite and CatBoost
    FLAT_STRUCTURE "INT911" High Error
        "a structure that contradicts itself"
        "Write the model again; the native reader may crash on this file.";
    FLAT_TRUNCATED "INT912" High Error
        "the file ends before what it declares"
        "Write or fetch the file again; it is cut.";
    FLAT_TRAILING "INT913" High Complete
        "bytes behind the model"
        "Write the file again; nothing explains these bytes.";
    TFLITE_CUSTOM "TFS301" Medium Complete
        "an operator that needs native code"
        "Convert with operators of TensorFlow Lite, or review the code that implements it.";
    TFLITE_FLEX "TFS302" Medium Complete
        "an operator of TensorFlow inside a Lite model"
        "Convert with operators of TensorFlow Lite only.";
    FLAT_LIMIT "TFS303" Medium Incomplete
        "more structure than can be followed in bounded memory"
        "Split the model, or validate it outside of its container.";
    TFLITE_OPERATOR "TFS304" Medium Incomplete
        "a built-in operator that is not known here"
        "Update Tagship, or convert with a released version of TensorFlow Lite.";
    // Integrity of boosters
    BOOSTER_SYNTAX "INT951" High Error
        "the document of a booster does not parse"
        "Save the model again with its own library.";
    BOOSTER_SCHEMA "INT952" High Error
        "the counts and trees of a booster contradict each other"
        "Save the model again with its own library; the native loader may crash on this one.";
    BOOSTER_TRUNCATED "INT953" High Error
        "the file ends before the model does"
        "Write or fetch the file again; it is cut.";
    BOOSTER_NEWER "INT954" Medium Incomplete
        "a version that is not known here"
        "Update Tagship, or save the model with a released version.";
    BOOSTER_LIMIT "INT955" Medium Incomplete
        "a booster larger than can be followed in bounded memory"
        "Export the model as ONNX.";
}
