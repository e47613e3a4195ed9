namespace Meft.Models;

/// <summary>The linear maps of a decoder layer; Hugging Face's module name stands beside each.</summary>
public enum LinearMap
{
    /// <summary>self_attn.q_proj.</summary>
    Query,

    /// <summary>self_attn.k_proj.</summary>
    Key,

    /// <summary>self_attn.v_proj.</summary>
    Value,

    /// <summary>self_attn.o_proj.</summary>
    Output,

    /// <summary>mlp.gate_proj.</summary>
    Gate,

    /// <summary>mlp.up_proj.</summary>
    Up,

    /// <summary>mlp.down_proj.</summary>
    Down,

    /// <summary>self_attn.qkv_proj: query, key and value in one.</summary>
    QueryKeyValue,

    /// <summary>mlp.gate_up_proj: gate and up in one.</summary>
    GateUp,
}
