namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>A statement and the line it begins on.</summary>
internal abstract record Statement(int Line);

/// <summary>Text, written as it is.</summary>
internal sealed record TextStatement(string Text, int Line) : Statement(Line);

/// <summary><c>{{ expression }}</c></summary>
internal sealed record Output(Expression Expression, int Line) : Statement(Line);

/// <summary>Statements in order, without a scope of their own: the body of <c>{% generation %}</c>.</summary>
internal sealed record Block(IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% if %}</c> with its branches; the first whose condition holds is taken.</summary>
internal sealed record If(
    IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches,
    IReadOnlyList<Statement> Else,
    int Line) : Statement(Line);

/// <summary><c>{% for target in items if condition %}</c></summary>
internal sealed record For(
    AssignmentTarget Target,
    Expression Items,
    Expression? Condition,
    bool IsRecursive,
    IReadOnlyList<Statement> Body,
    IReadOnlyList<Statement> Else,
    int Line) : Statement(Line);

/// <summary><c>{% break %}</c> or <c>{% continue %}</c></summary>
internal sealed record LoopControl(bool IsBreak, int Line) : Statement(Line);

/// <summary><c>{% set target = value %}</c></summary>
internal sealed record Set(AssignmentTarget Target, Expression Value, int Line) : Statement(Line);

/// <summary><c>{% set target | filter %}…{% endset %}</c></summary>
internal sealed record SetBlock(
    AssignmentTarget Target, IReadOnlyList<FilterStep> Filters, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% filter name %}…{% endfilter %}</c></summary>
internal sealed record FilterBlock(IReadOnlyList<FilterStep> Filters, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% with target = value %}…{% endwith %}</c></summary>
internal sealed record With(
    IReadOnlyList<(AssignmentTarget Target, Expression Value)> Assignments, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% macro name(parameters) %}…{% endmacro %}</c></summary>
internal sealed record Macro(string Name, IReadOnlyList<Parameter> Parameters, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% call(parameters) macro(arguments) %}…{% endcall %}</c></summary>
internal sealed record CallBlock(IReadOnlyList<Parameter> Parameters, Call Call, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary>A parameter of a macro.</summary>
internal sealed record Parameter(string Name, Expression? Default);

/// <summary>A filter that is applied to the text of a block.</summary>
internal sealed record FilterStep(string Name, Arguments Arguments);

/// <summary>What can be assigned to.</summary>
internal abstract record AssignmentTarget;

/// <summary>A variable.</summary>
internal sealed record NameTarget(string Name) : AssignmentTarget;

/// <summary>A member of a namespace.</summary>
internal sealed record NamespaceTarget(string Name, string Member) : AssignmentTarget;

/// <summary>Several targets that the items of a list are unpacked to.</summary>
internal sealed record TupleTarget(IReadOnlyList<AssignmentTarget> Items) : AssignmentTarget;
