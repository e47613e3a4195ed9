using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>The functions that every template may call: Jinja's own and the two that transformers adds.</summary>
internal sealed class Globals(TimeProvider time)
{
    private const long MaximumRange = 100_000;

    public Value? Find(string name) => name switch
    {
        "range" => new FunctionValue(name, Range),
        "namespace" => new FunctionValue(name, call => new NamespaceValue(Members(call))),
        "dict" => new FunctionValue(name, call => MapValue.Of(Members(call))),
        "raise_exception" => new FunctionValue(
            name, call => throw new TemplateRaisedException(ValueText.Plain(call.Required(0, "message")))),
        "strftime_now" => new FunctionValue(name, call => new TextValue(
            TimeFormat.Format(time.GetLocalNow(), call.Text(0, "format") ?? throw new JinjaException("missing argument 'format'")))),
        _ => null,
    };

    private static ListValue Range(CallArguments call)
    {
        var numbers = Enumerable.Range(0, call.Positional.Count).Select(i => call.Integer(i, "range")!.Value).ToList();
        var (start, stop, step) = numbers switch
        {
            [var only] => (0L, only, 1L),
            [var first, var second] => (first, second, 1L),
            [var first, var second, not 0 and var third] => (first, second, third),
            _ => throw new JinjaException("range expects one to three whole numbers, the third not 0"),
        };
        if (Math.Abs((double)stop - start) / Math.Abs((double)step) > MaximumRange)
            throw new TemplateLimitException($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaximumRange}).");
        var items = new List<Value>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step) items.Add(new IntegerValue(i));
        return new ListValue(items);
    }

    private static Dictionary<string, Value> Members(CallArguments call)
    {
        var members = new Dictionary<string, Value>();
        if (call.Positional is [MapValue map])
        {
            foreach (var (key, value) in map.Members) members[ValueText.Plain(key)] = value;
        }
        foreach (var (name, value) in call.Named) members[name] = value;
        return members;
    }
}
