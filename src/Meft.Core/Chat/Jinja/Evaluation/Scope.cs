using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>The variables of a template, a loop's body, a macro; what is not here is looked for in the scope around.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, Value> _variables = [];

    /// <summary>The outermost scope of a template that is given variables.</summary>
    public static Scope Of(IReadOnlyDictionary<string, Value> variables)
    {
        var scope = new Scope(parent: null);
        foreach (var (name, value) in variables) scope.Set(name, value);
        return scope;
    }

    public Value? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out var value)) return value;
        }
        return null;
    }

    public void Set(string name, Value value) => _variables[name] = value;

    private Scope? Parent => parent;
}
