using System.Security.Cryptography;
using System.Text;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Adapters;

/// <summary>
/// Tells whether a model is one that an adapter was made for, by its config: everything that shapes the computation, and not how the weights
/// are stored or which tokens begin and end a text.
/// </summary>
public static class BaseFingerprint
{
    /// <summary>SHA-256, hexadecimal, of the config in a canonical form.</summary>
    public static string Of(ModelConfig config)
    {
        var canonical = config with { StoredType = null, BeginToken = null, EndTokens = [], PadToken = null, InitializerRange = 0.02 };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ModelConfigWriter.ToJson(canonical))));
    }
}
