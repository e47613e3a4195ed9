namespace Meft.Models;

/// <summary>What a weight is, which decides its value in a model that starts from nothing.</summary>
internal enum WeightKind
{
    /// <summary>A matrix of a linear map or the embedding: normally distributed.</summary>
    Matrix,

    /// <summary>A bias: zeros.</summary>
    Bias,

    /// <summary>The scale of a norm: ones.</summary>
    Norm,

    /// <summary>The scale of a norm less one: zeros.</summary>
    OffsetNorm,
}

/// <summary>A weight that a model has.</summary>
/// <param name="Name">Its name in a Hugging Face checkpoint.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Shape">Its sizes.</param>
internal sealed record WeightSpec(string Name, WeightKind Kind, params long[] Shape)
{
    /// <summary>Whether it belongs to a layer, and not to the embedding, the last norm or the head.</summary>
    public bool IsOfLayer { get; } = HuggingFaceWeightNames.IsOfLayer(Name);

    /// <summary>The number of its elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);
}
