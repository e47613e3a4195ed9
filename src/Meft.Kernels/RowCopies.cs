namespace Meft.Kernels;

/// <summary>What gathering and scattering rows have in common.</summary>
internal static unsafe class RowCopies
{
    /// <summary>The floats that are worth handing to another thread.</summary>
    private const int FloatsOfRange = 1 << 15;

    /// <summary>Rows of a range.</summary>
    public static int Grain(int dimension) => Math.Max(1, FloatsOfRange / dimension);

    /// <summary>The i-th of the chosen rows; without a choice, row i.</summary>
    public static float* At(float* matrix, int* rows, int i, int dimension) => matrix + (long)(rows is null ? i : rows[i]) * dimension;
}
