namespace Meft.Core.Configuration.Types;

/// <summary>A value or nothing; nothing is written <c>null</c> and read by leaving the key out.</summary>
internal sealed class NullableType<T>(ConfigType<T> inner) : ConfigType<T?> where T : struct
{
    /// <inheritdoc/>
    public override string Allowed => inner.Allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out T? value)
    {
        var problem = inner.Read(node, folder, out var read);
        value = read;
        return problem;
    }

    /// <inheritdoc/>
    public override string Write(T? value) => inner.Write(value!.Value);
}
