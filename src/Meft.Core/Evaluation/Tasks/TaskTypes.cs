using Meft.Core.Chat.Jinja;
using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;
using Meft.Core.Evaluation.Metrics;
using Meft.Core.Evaluation.Records;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>A text in which fields of a record stand in <c>{{ }}</c>.</summary>
internal sealed class TemplateType : ConfigType<RowTemplate>
{
    /// <inheritdoc/>
    public override string Allowed => "a text with fields of the record in {{ }}, in Jinja";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out RowTemplate value)
    {
        value = null!;
        if (node is not ConfigScalar scalar) return IsNo(node, "no text");
        try
        {
            value = RowTemplate.Parse(scalar.Text);
            return null;
        }
        catch (JinjaException e)
        {
            return $"{node.Describe()} is no template: {e.Message}";
        }
    }

    /// <inheritdoc/>
    public override string Write(RowTemplate value) => TextType.Quote(value.Source);
}

/// <summary>An expression over a record's fields.</summary>
internal sealed class ExpressionType : ConfigType<RowExpression>
{
    /// <inheritdoc/>
    public override string Allowed => "a field, a path such as requested_rewrite.subject, or another expression of Jinja, without {{ }}";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out RowExpression value)
    {
        value = null!;
        if (node is not ConfigScalar { Text.Length: > 0 } scalar) return IsNo(node, "no expression");
        try
        {
            value = RowExpression.Parse(scalar.Text);
            return null;
        }
        catch (JinjaException e)
        {
            return $"{node.Describe()} is no expression: {e.Message}";
        }
    }

    /// <inheritdoc/>
    public override string Write(RowExpression value) => TextType.Quote(value.Source);
}

/// <summary>Where records stand in a document.</summary>
internal sealed class RecordPathType : ConfigType<RecordPath>
{
    /// <inheritdoc/>
    public override string Allowed => RecordPath.Allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out RecordPath value)
    {
        value = node is ConfigScalar scalar ? RecordPath.Parse(scalar.Text)! : null!;
        return value is null ? IsNo(node, "no path") : null;
    }

    /// <inheritdoc/>
    public override string Write(RecordPath value) => TextType.Quote(value.Describe(value.Steps.Count));
}

/// <summary>The name of a metric of answers.</summary>
internal sealed class MetricType : ConfigType<IAnswerMetric>
{
    /// <inheritdoc/>
    public override string Allowed => string.Join(", ", AnswerMetrics.Names);

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out IAnswerMetric value)
    {
        value = node is ConfigScalar name ? AnswerMetrics.Find(name.Text)! : null!;
        if (value is not null) return null;
        var meant = node is ConfigScalar unknown && AnswerMetrics.IfClose(unknown.Text) is { } nearest ? $" (did you mean {nearest}?)" : "";
        return IsNo(node, "no metric") + meant;
    }

    /// <inheritdoc/>
    public override string Write(IAnswerMetric value) => value.Names[0];
}

/// <summary>A text, which may be empty.</summary>
internal sealed class AnyTextType : ConfigType<string>
{
    /// <inheritdoc/>
    public override string Allowed => "a text";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out string value)
    {
        value = node is ConfigScalar scalar ? scalar.Text : "";
        return node is ConfigScalar ? null : IsNo(node, "no text");
    }

    /// <inheritdoc/>
    public override string Write(string value) => TextType.Quote(value);
}
