using Meft.Core.Configuration;

namespace Meft.Core.Planning;

/// <summary>
/// What a training process takes besides its tensors: measured constants of the program and how the two allocators it uses behave.
/// </summary>
public static class ProgramMemory
{
    /// <summary>The most bytes of copies of frozen bfloat16 weights in the form that the CPU's products are computed from.</summary>
    public const long PackedWeightBytes = 128L << 20;

    /// <summary>
    /// Pages of code and the start of every heap: libtorch's code (125 MiB) and what it allocates when loaded (60 MiB), .NET's own libraries and
    /// compiled code (45 MiB), its heap, threads and stacks (45 MiB). Measured on Linux x64 with the CPU build of libtorch 2.10.
    /// </summary>
    public const long RuntimeBytes = 275L << 20;

    /// <summary>
    /// oneDNN compiles its 16-bit matrix products for each number of tokens and never forgets one: 1.25 MiB for a new T, measured over runs of up to 50
    /// sizes. Sizes that differ in nothing it looks at share, so that there is an end to it.
    /// </summary>
    public static long CompiledShapes(int distinctSizes) => Math.Min(distinctSizes, 256) * (5L << 18);

    /// <summary>
    /// Blocks from this size on are mapped by themselves and go back to the system when freed; smaller ones live in malloc's heap. The program
    /// fixes it when it loads libtorch; glibc would raise it up to 32 MiB.
    /// </summary>
    public const long MappedBlockBytes = 4L << 20;

    /// <summary>
    /// The same where tensors of many MiB are trained as wholes: their gradients come and go with every step, and to take them page by page each time costs
    /// more than the step (R = 4,096 on a virtual machine: two thirds of it). The most that glibc allows.
    /// </summary>
    private const long MappedBlockBytesOfWholes = 32L << 20;

    /// <summary>From which size blocks are mapped by themselves while a method trains.</summary>
    public static long MappedBlockBytesOf(MethodKind kind) => kind is MethodKind.Parallel or MethodKind.Full ? MappedBlockBytesOfWholes : MappedBlockBytes;

    /// <summary>
    /// What malloc's heap may hold, free or in use, of blocks that come and go with every micro-batch. Micro-batches of other lengths leave holes that
    /// the next ones do not fit into, without an end; so a run gives free memory back to the system once it is more than twice what a
    /// micro-batch needs at once.
    /// </summary>
    /// <param name="inUse">Bytes of such blocks in use at once.</param>
    public static long HeapLimit(long inUse) => Math.Max(64L << 20, 2 * inUse);

    /// <summary>What the garbage collector lets gather before it collects: about as much as is in use.</summary>
    /// <param name="inUse">Bytes of managed arrays in use at once.</param>
    public static long Garbage(long inUse) => inUse;
}
