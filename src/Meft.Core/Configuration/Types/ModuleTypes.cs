using Meft.Core.Adapters.Lora;

namespace Meft.Core.Configuration.Types;

/// <summary>A selection of modules.</summary>
internal sealed class TargetsType : ConfigType<TargetSelection>
{
    private static readonly OneOrMoreType<string> Names = new(new TextType(), TargetSelection.Allowed);

    /// <inheritdoc/>
    public override string Allowed => TargetSelection.Allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out TargetSelection value)
    {
        value = new TargetSelection.AllLinear();
        if (node is ConfigScalar { Text: TargetSelection.AllLinear.Name }) return null;
        // A single name matches no whole module name, for those have dots: it is meant as a list of one.
        if (node is ConfigScalar { Text.Length: > 0 } scalar && !scalar.Text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            value = new TargetSelection.Pattern(scalar.Text);
            return ModuleMatch.ProblemOf(scalar.Text);
        }
        var problem = Names.Read(node, folder, out var names);
        value = new TargetSelection.Named(names);
        return problem;
    }

    /// <inheritdoc/>
    public override string Write(TargetSelection value) => value switch
    {
        TargetSelection.Named named => $"[{string.Join(", ", named.Names.Select(TextType.Quote))}]",
        TargetSelection.Pattern pattern => TextType.Quote(pattern.Expression),
        _ => TargetSelection.AllLinear.Name,
    };
}

/// <summary>Values by patterns of module names; the first that matches holds.</summary>
internal sealed class ModulePatternsType<T>(ConfigType<T> element) : ConfigType<ValueList<ModulePattern<T>>>
{
    /// <inheritdoc/>
    public override string Allowed => $"module names or regular expressions for them, each with {element.Allowed}, for example {{q_proj: 4}}";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out ValueList<ModulePattern<T>> value)
    {
        value = [];
        if (node is not ConfigMapping mapping) return IsNo(node, "no group of keys");
        var patterns = new List<ModulePattern<T>>();
        foreach (var entry in mapping.Entries)
        {
            if (patterns.Any(p => p.Pattern == entry.Key)) return $"'{entry.Key}' stands twice";
            if (ModuleMatch.ProblemOf(entry.Key) is { } wrong) return wrong;
            if (element.Read(entry.Value, folder, out var one) is { } problem) return $"'{entry.Key}': {problem}";
            patterns.Add(new ModulePattern<T>(entry.Key, one));
        }
        value = [.. patterns];
        return null;
    }

    /// <inheritdoc/>
    public override string Write(ValueList<ModulePattern<T>> value) =>
        $"{{{string.Join(", ", value.Select(p => $"{TextType.Quote(p.Pattern)}: {element.Write(p.Value)}"))}}}";
}
