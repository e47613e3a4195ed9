using System.Runtime.CompilerServices;

namespace Meft.Kernels.Tests.Rows;

public unsafe class FormattedRowTests
{
    [Fact]
    public void The_numbers_stay_while_nothing_but_their_address_is_in_use() => Assert.Equal(3, FirstAfterCollections());

    [Fact]
    public void A_number_written_past_the_end_is_seen()
    {
        var row = new FormattedRow(FloatFormat.BFloat16, 3);
        ((ushort*)row.Address)[3] = 0;
        Assert.ThrowsAny<Exception>(row.Dispose);
    }

    /// <summary>Compiled in full: in a method compiled quickly every object lives to its end.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float FirstAfterCollections()
    {
        var address = new FormattedRow(FloatFormat.Single, 1000) { [0] = 3 }.Address;
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            // What takes the place of freed memory.
            for (var j = 0; j < 20; j++) GC.AllocateArray<byte>(4000, pinned: true).AsSpan().Fill(1);
        }
        return *(float*)address;
    }
}
