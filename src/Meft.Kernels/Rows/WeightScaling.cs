namespace Meft.Kernels.Rows;

/// <summary>How a norm applies its weight w to the quotient x / rms(x).</summary>
public enum WeightScaling
{
    /// <summary>The quotient is rounded to the format, then multiplied by w and rounded again.</summary>
    AfterRounding,

    /// <summary>Multiplied by w in float32, rounded once.</summary>
    BeforeRounding,

    /// <summary>Multiplied by 1 + w in float32, rounded once.</summary>
    OnePlusWeight,
}
