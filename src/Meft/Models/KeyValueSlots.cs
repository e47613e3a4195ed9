using Meft.Kernels;
using Meft.Kernels.Attention;

namespace Meft.Models;

/// <summary>Where a layout's tokens lie in a cache in host memory.</summary>
/// <param name="keys">A layer's keys [slots, Hkv, capacity, hd], for every layer.</param>
/// <param name="values">A layer's values, likewise.</param>
/// <param name="slots">The slot of each row.</param>
/// <param name="layout">The tokens.</param>
/// <param name="capacity">The longest a row may grow, in tokens.</param>
/// <param name="heads">Hkv.</param>
/// <param name="headSize">hd.</param>
internal sealed unsafe class KeyValueSlots(nint[] keys, nint[] values, int[] slots, TokenLayout layout, int capacity, int heads, int headSize)
{
    /// <summary>The address of a layer's keys.</summary>
    public nint Keys(int layer) => keys[layer];

    /// <summary>The address of a layer's values.</summary>
    public nint Values(int layer) => values[layer];

    /// <summary>What attention of the tokens over the cache is told.</summary>
    public AttentionShape Shape(int queryHeads, AttentionTerms terms) => AttentionShape.Cached(
        layout.Offsets, layout.Lengths, layout.Starts, capacity, queryHeads, heads, headSize, (float)terms.Scale, terms.Window, slots,
        (float?)terms.SoftCap);

    /// <summary>Writes a layer's keys and values of the tokens, each [T, Hkv, hd], behind those of their rows.</summary>
    public void Write(int layer, nint newKeys, nint newValues, FloatFormat format)
    {
        var bytes = headSize * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));
        var from = (nint)0;
        for (var row = 0; row < slots.Length; row++)
        {
            for (var i = 0; i < layout.Lengths[row]; i++)
            {
                for (var head = 0; head < heads; head++, from += bytes)
                {
                    var to = (((nint)slots[row] * heads + head) * capacity + layout.Starts[row] + i) * bytes;
                    Buffer.MemoryCopy((void*)(newKeys + from), (void*)(keys[layer] + to), bytes, bytes);
                    Buffer.MemoryCopy((void*)(newValues + from), (void*)(values[layer] + to), bytes, bytes);
                }
            }
        }
    }
}
