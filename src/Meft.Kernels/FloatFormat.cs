namespace Meft.Kernels;

/// <summary>The number types that rows are read and written in; the kernels compute in float32 throughout.</summary>
public enum FloatFormat
{
    /// <summary>float32.</summary>
    Single,

    /// <summary>bfloat16, the upper half of a float32.</summary>
    BFloat16,
}
