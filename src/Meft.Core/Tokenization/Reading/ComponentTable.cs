namespace Meft.Core.Tokenization.Reading;

/// <summary>
/// The components of one family (normalizers, say) that can be read from tokenizer.json, by the name in their <c>type</c>.
/// </summary>
/// <typeparam name="T">The family's interface.</typeparam>
internal sealed class ComponentTable<T>(string family, Dictionary<string, Func<JsonField, T>> readers)
{
    /// <summary>Reads the component that a JSON object describes.</summary>
    /// <exception cref="TokenizerFileException">Its type is unknown, or a value of it is wrong.</exception>
    public T Read(JsonField field)
    {
        var type = field["type"].AsText();
        return readers.TryGetValue(type, out var read)
            ? read(field)
            : throw field["type"].Error(
                $"names the {family} '{type}', which is not supported", string.Join(", ", readers.Keys.Order(StringComparer.Ordinal)));
    }
}
