namespace Meft.Core.Planning;

/// <summary>What a quantised base takes.</summary>
public static class QuantizedBase
{
    /// <summary>The most weights that are plain numbers at once: few enough for the caches, enough to be multiplied fast.</summary>
    public const long PanelWeights = 1 << 21;
}
