namespace Meft.Core.Formats.Safetensors;

/// <summary>A tensor as a header declares it, before any check of its numbers; offsets count from the beginning of the data.</summary>
internal readonly record struct DeclaredTensor(string Name, TensorDType DType, List<ulong> Shape, ulong Begin, ulong End)
{
    private const int ShownDimensions = 16;

    /// <summary>The bytes its shape and type take.</summary>
    /// <exception cref="SafetensorsException">The number overflows, or packed elements do not end at a byte.</exception>
    public ulong ByteLength(string path)
    {
        // Dimension by dimension as the reference: a zero after an overflow does not mend it.
        var bits = UInt128.One;
        foreach (var size in Shape)
        {
            bits *= size;
            if (bits > ulong.MaxValue) throw Overflow(path);
        }
        bits *= (uint)DType.BitSize();
        if (bits > ulong.MaxValue) throw Overflow(path);
        if (bits % 8 != 0)
        {
            throw new SafetensorsException(
                path, SafetensorsError.MisalignedSlice, $"{Describe()} takes {bits} bits, not a whole number of bytes", Name);
        }
        return (ulong)(bits / 8);
    }

    /// <summary>The shape in signed numbers, which every tensor with an element fits.</summary>
    /// <exception cref="SafetensorsException">An empty tensor has a dimension beyond 63 bits.</exception>
    public IReadOnlyList<long> SignedShape(string path)
    {
        var shape = new long[Shape.Count];
        for (var i = 0; i < shape.Length; i++)
        {
            if (Shape[i] > long.MaxValue) throw Overflow(path);
            shape[i] = (long)Shape[i];
        }
        return shape;
    }

    /// <summary>Type and shape for an error message.</summary>
    public string Describe() =>
        $"{DType.FileName()} [{string.Join(", ", Shape.Take(ShownDimensions))}{(Shape.Count > ShownDimensions ? ", …" : "")}]";

    private SafetensorsException Overflow(string path) =>
        new(path, SafetensorsError.ValidationOverflow, $"the size of {Describe()} overflows 64 bits", Name);
}
