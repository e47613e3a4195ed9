using System.Globalization;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>Questions with their answers: groups of the fields that the prompt names, and <c>answer</c>.</summary>
internal sealed class ExamplesType : ConfigType<IReadOnlyList<TaskExample>>
{
    private const string Answer = "answer";

    /// <inheritdoc/>
    public override string Allowed => "a list of groups, each with the fields that the prompt names and answer, the text that follows the prompt";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out IReadOnlyList<TaskExample> value)
    {
        value = [];
        if (node is not ConfigSequence sequence) return IsNo(node, "no list");
        var examples = new List<TaskExample>();
        foreach (var item in sequence.Items)
        {
            if (item is not ConfigMapping mapping) return IsNo(item, "no group of keys");
            if (mapping.Entries.LastOrDefault(entry => entry.Key == Answer)?.Value is not ConfigScalar answer)
                return $"example {(examples.Count + 1).ToString(CultureInfo.InvariantCulture)} has no answer that is a text";
            var fields = mapping.Entries.Where(entry => entry.Key != Answer).Select(entry => KeyValuePair.Create(entry.Key, ValueOf(entry.Value)));
            examples.Add(new TaskExample(new Dictionary<string, Value>(fields.DistinctBy(field => field.Key)), answer.Text));
        }
        value = examples;
        return null;
    }

    /// <inheritdoc/>
    public override string Write(IReadOnlyList<TaskExample> value) =>
        $"[{string.Join(", ", value.Select(example => $"{{{Answer}: {TextType.Quote(example.Answer)}}}"))}]";

    private static Value ValueOf(ConfigNode node) => node switch
    {
        ConfigScalar { IsNull: true } => NoneValue.Instance,
        ConfigScalar scalar => new TextValue(scalar.Text),
        ConfigSequence sequence => new ListValue([.. sequence.Items.Select(ValueOf)]),
        ConfigMapping mapping => MapValue.Of(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, ValueOf(entry.Value)))),
        _ => NoneValue.Instance,
    };
}
