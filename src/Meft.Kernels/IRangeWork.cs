namespace Meft.Kernels;

/// <summary>Work that can be split into ranges of items which share nothing.</summary>
public interface IRangeWork
{
    /// <summary>Does the items [from, to).</summary>
    void Run(int from, int to);
}
