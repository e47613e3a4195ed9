namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>Parses a template into statements.</summary>
internal sealed class TemplateParser
{
    private static readonly string[] KnownTags = ["break", "call", "continue", "filter", "for", "generation", "if", "macro", "set", "with"];

    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private TemplateParser(TokenStream tokens)
    {
        _tokens = tokens;
        _expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="JinjaException">The template is not valid, or nested too deeply.</exception>
    public static IReadOnlyList<Statement> Parse(string template) =>
        new TemplateParser(new TokenStream(TemplateLexer.Tokenize(template))).ParseUntil();

    /// <summary>
    /// Parses statements until one of the given tags begins; without any, until the end. The tag's name is the current token then.
    /// </summary>
    private List<Statement> ParseUntil(params ReadOnlySpan<string> endTags)
    {
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Current;
            if (token.Kind == TokenKind.End)
            {
                return endTags.IsEmpty
                    ? statements
                    : throw _tokens.Error($"Unexpected end of template; looking for {string.Join(" or ", endTags!)}");
            }
            _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.Text:
                    statements.Add(new TextStatement(token.Value, token.Line));
                    break;
                case TokenKind.VariableBegin:
                    statements.Add(new Output(_expressions.ParseTuple(_expressions.Parse), token.Line));
                    _tokens.Expect(TokenKind.VariableEnd);
                    break;
                default:
                    if (endTags.Contains(_tokens.Current.Value) && _tokens.Current.Kind == TokenKind.Name) return statements;
                    statements.Add(_tokens.Nested(() => ParseTag(token.Line)));
                    break;
            }
        }
    }

    private List<Statement> ParseBody(string endTag)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        var body = ParseUntil(endTag);
        EndTag();
        return body;
    }

    private void EndTag()
    {
        _tokens.Next();
        _tokens.Expect(TokenKind.BlockEnd);
    }

    private Statement ParseTag(int line)
    {
        var tag = _tokens.ExpectName();
        switch (tag)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro": return new Macro(_tokens.ExpectName(), ParseParameters(), ParseSeparateBody("endmacro"), line);
            case "call": return ParseCall(line);
            case "filter": return new FilterBlock(ParseFilterSteps(_expressions.ParseFilterStep()), ParseBody("endfilter"), line);
            case "with": return ParseWith(line);
            case "generation": return new Block(ParseBody("endgeneration"), line);
            case "break" or "continue" when _loops > 0:
                _tokens.Expect(TokenKind.BlockEnd);
                return new LoopControl(tag == "break", line);
            case "break" or "continue": throw new JinjaException($"'{tag}' outside loop") { Line = line };
            default:
                throw new JinjaException($"Encountered unknown tag '{tag}'; known are {string.Join(", ", KnownTags)}") { Line = line };
        }
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        IReadOnlyList<Statement> otherwise = [];
        string tag;
        do
        {
            var condition = _expressions.ParseTuple(_expressions.ParseWithoutConditional);
            _tokens.Expect(TokenKind.BlockEnd);
            branches.Add((condition, ParseUntil("elif", "else", "endif")));
            tag = _tokens.Next().Value;
        }
        while (tag == "elif");
        if (tag == "else")
        {
            otherwise = ParseBody("endif");
            return new If(branches, otherwise, line);
        }
        _tokens.Expect(TokenKind.BlockEnd);
        return new If(branches, otherwise, line);
    }

    private For ParseFor(int line)
    {
        var target = ParseTarget(allowsNamespace: false);
        if (!_tokens.SkipName("in")) throw _tokens.Error("expected 'in' after the variables of a for loop");
        var items = _expressions.ParseTuple(_expressions.ParseWithoutConditional);
        var condition = _tokens.SkipName("if") ? _expressions.Parse() : null;
        var isRecursive = _tokens.SkipName("recursive");
        _tokens.Expect(TokenKind.BlockEnd);
        _loops++;
        var body = ParseUntil("endfor", "else");
        _loops--;
        if (_tokens.Next().Value == "else") return new For(target, items, condition, isRecursive, body, ParseBody("endfor"), line);
        _tokens.Expect(TokenKind.BlockEnd);
        return new For(target, items, condition, isRecursive, body, [], line);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(allowsNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            var value = _expressions.ParseTuple(_expressions.Parse);
            _tokens.Expect(TokenKind.BlockEnd);
            return new Set(target, value, line);
        }
        return new SetBlock(target, ParseFilterSteps(), ParseBody("endset"), line);
    }

    private CallBlock ParseCall(int line)
    {
        IReadOnlyList<Parameter> parameters = _tokens.Current.IsOperator("(") ? ParseParameters() : [];
        return _expressions.Parse() is Call call
            ? new CallBlock(parameters, call, ParseSeparateBody("endcall"), line)
            : throw _tokens.Error("expected call");
    }

    private With ParseWith(int line)
    {
        var assignments = new List<(AssignmentTarget, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            var target = ParseTargetItem(allowsNamespace: false);
            _tokens.ExpectOperator("=");
            assignments.Add((target, _expressions.Parse()));
            if (!_tokens.SkipOperator(",")) break;
        }
        return new With(assignments, ParseBody("endwith"), line);
    }

    /// <summary>The body of a macro: a loop around its definition is not one that it may break.</summary>
    private List<Statement> ParseSeparateBody(string endTag)
    {
        var loops = _loops;
        _loops = 0;
        var body = ParseBody(endTag);
        _loops = loops;
        return body;
    }

    private List<FilterStep> ParseFilterSteps(params ReadOnlySpan<FilterStep> first)
    {
        List<FilterStep> steps = [.. first];
        while (_tokens.SkipOperator("|")) steps.Add(_expressions.ParseFilterStep());
        return steps;
    }

    private List<Parameter> ParseParameters()
    {
        var parameters = new List<Parameter>();
        _tokens.ExpectOperator("(");
        while (!_tokens.Current.IsOperator(")"))
        {
            var name = _tokens.ExpectName();
            var byDefault = _tokens.SkipOperator("=") ? _expressions.Parse() : null;
            if (byDefault is null && parameters is [.., { Default: not null }])
                throw _tokens.Error("non-default argument follows default argument");
            parameters.Add(new Parameter(name, byDefault));
            if (!_tokens.SkipOperator(",")) break;
        }
        _tokens.ExpectOperator(")");
        return parameters;
    }

    private AssignmentTarget ParseTarget(bool allowsNamespace)
    {
        var first = ParseTargetItem(allowsNamespace);
        if (!_tokens.Current.IsOperator(",")) return first;
        List<AssignmentTarget> items = [first];
        while (_tokens.SkipOperator(",") && !_tokens.Current.IsName("in") && !_tokens.Current.IsOperator("="))
            items.Add(ParseTargetItem(allowsNamespace));
        return new TupleTarget(items);
    }

    private AssignmentTarget ParseTargetItem(bool allowsNamespace)
    {
        if (_tokens.SkipOperator("("))
        {
            var inner = _tokens.Nested(() => ParseTarget(allowsNamespace));
            _tokens.ExpectOperator(")");
            return inner;
        }
        var name = _tokens.ExpectName();
        if (name is "true" or "false" or "none" or "True" or "False" or "None") throw _tokens.Error($"can't assign to '{name}'");
        return allowsNamespace && _tokens.SkipOperator(".") ? new NamespaceTarget(name, _tokens.ExpectName()) : new NameTarget(name);
    }
}
