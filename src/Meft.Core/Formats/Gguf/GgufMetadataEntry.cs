namespace Meft.Core.Formats.Gguf;

/// <summary>One metadata value.</summary>
/// <param name="Key">Its key, such as <c>llama.block_count</c>.</param>
/// <param name="Type">Its type in the file.</param>
/// <param name="Value">The value, of the .NET type that <see cref="GgufValueType"/> names.</param>
/// <param name="Offset">Where the value stands, in bytes from the beginning of the file.</param>
public sealed record GgufMetadataEntry(string Key, GgufValueType Type, object Value, long Offset);
