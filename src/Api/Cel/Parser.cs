namespace Weft.Api.Cel;

/// <summary>The grammar of CEL (cel-spec, "Syntax"), by recursive descent, with the macros put in place of the calls that name them.</summary>
internal sealed class Parser
{
    private static readonly string[] Relations = ["<", "<=", ">", ">=", "==", "!="];

    private readonly List<Token> _tokens;
    private int _at;
    private int _nesting;

    private Parser(List<Token> tokens) => _tokens = tokens;

    /// <exception cref="CelSyntaxException">No expression, or one beyond the limits.</exception>
    public static Expr Parse(string text)
    {
        if (text.Length > CelLimits.MaxLength)
            throw new CelSyntaxException(0, $"expression code point size exceeds limit: size: {text.Length}, limit {CelLimits.MaxLength}");
        var parser = new Parser(new Lexer(text).All());
        var expression = parser.Expression();
        return parser.Now.Kind == TokenKind.End ? expression : throw parser.Unexpected();
    }

    private Token Now => _tokens[_at];

    private Token Take() => _tokens[_at++];

    private bool Skip(string symbol)
    {
        if (!Now.Is(symbol))
            return false;
        _at++;
        return true;
    }

    private void Demand(string symbol)
    {
        if (!Skip(symbol))
            throw Unexpected($", expected '{symbol}'");
    }

    private CelSyntaxException Unexpected(string more = "") =>
        new(Now.Position, Now.Kind == TokenKind.End ? $"Syntax error: unexpected end of the expression{more}" : $"Syntax error: unexpected '{Now.Value}'{more}");

    private CelSyntaxException TooNested() => new(Now.Position, $"expression recursion limit exceeded: {CelLimits.MaxNesting}");

    private static T Bounded<T>(T expression) where T : Expr =>
        expression.Depth <= CelLimits.MaxDepth ? expression : throw new CelSyntaxException(expression.Position, $"expression is deeper than {CelLimits.MaxDepth} levels");

    private Expr Expression()
    {
        if (++_nesting > CelLimits.MaxNesting)
            throw TooNested();
        var condition = Chain(and: false);
        if (Now.Is("?"))
        {
            var position = Take().Position;
            var then = Chain(and: false);
            Demand(":");
            condition = Bounded(new Conditional(position, condition, then, Expression()));
        }
        _nesting--;
        return condition;
    }

    private Expr Chain(bool and)
    {
        var symbol = and ? "&&" : "||";
        var first = and ? Relation() : Chain(and: true);
        if (!Now.Is(symbol))
            return first;
        var position = Now.Position;
        var terms = new List<Expr> { first };
        while (Skip(symbol))
            terms.Add(and ? Relation() : Chain(and: true));
        return Bounded(new Logic(position, and, terms));
    }

    private Expr Relation()
    {
        var left = Sum();
        while (Now.Kind == TokenKind.In || Now.Kind == TokenKind.Symbol && Relations.Contains(Now.Text))
        {
            var symbol = Take();
            left = Bounded(new Call(symbol.Position, symbol.Text, null, [left, Sum()]));
        }
        return left;
    }

    private Expr Sum()
    {
        var left = Product();
        while (Now.Is("+") || Now.Is("-"))
        {
            var symbol = Take();
            left = Bounded(new Call(symbol.Position, symbol.Text, null, [left, Product()]));
        }
        return left;
    }

    private Expr Product()
    {
        var left = Unary();
        while (Now.Is("*") || Now.Is("/") || Now.Is("%"))
        {
            var symbol = Take();
            left = Bounded(new Call(symbol.Position, symbol.Text, null, [left, Unary()]));
        }
        return left;
    }

    private Expr Unary()
    {
        if (!Now.Is("!") && !Now.Is("-"))
            return Member(Primary());
        var (symbol, count) = (Now, 0);
        while (Now.Is(symbol.Text))
        {
            count++;
            _at++;
        }
        // -9223372036854775808 is one literal.
        if (symbol.Text == "-" && Now.Kind is TokenKind.Int or TokenKind.Double)
        {
            count--;
            var number = Take();
            object value = number.Value is double real ? (object)-real : Negative(number);
            return Repeat(symbol, count, Member(new Literal(symbol.Position, value)));
        }
        // `!-!-` is one level for each change of sign.
        if (++_nesting > CelLimits.MaxNesting)
            throw TooNested();
        var operand = Unary();
        _nesting--;
        return Repeat(symbol, count, operand);
    }

    private static Expr Repeat(Token symbol, int count, Expr operand) =>
        count % 2 == 0 ? operand : Bounded(new Call(symbol.Position, symbol.Text == "-" ? "-_" : "!", null, [operand]));

    private static long Negative(Token number) => (ulong)number.Value! switch
    {
        <= long.MaxValue and var value => -(long)value,
        (ulong)long.MaxValue + 1 => long.MinValue,
        _ => throw new CelSyntaxException(number.Position, "invalid int literal"),
    };

    private Expr Member(Expr operand)
    {
        while (true)
        {
            var symbol = Now;
            if (Skip(".?"))
                operand = Bounded(new Select(symbol.Position, operand, Name(), optional: true, test: false));
            else if (Skip("."))
            {
                var name = Name();
                operand = Now.Is("(") ? Bounded(Macros.Expand(symbol.Position, name, operand, Arguments())) : Bounded(new Select(symbol.Position, operand, name, optional: false, test: false));
            }
            else if (Now.Is("[") || Now.Is("[?"))
            {
                var optional = Take().Is("[?");
                var index = Expression();
                Demand("]");
                operand = Bounded(new Call(symbol.Position, optional ? "[?]" : "[]", null, [operand, index]));
            }
            else
                return operand;
        }
    }

    private string Name() => Now.Kind == TokenKind.Identifier ? Take().Text : throw Unexpected(", expected a name");

    private List<Expr> Arguments()
    {
        Demand("(");
        var list = new List<Expr>();
        while (!Skip(")"))
        {
            if (list.Count > 0)
                Demand(",");
            list.Add(Expression());
        }
        return list;
    }

    private Expr Primary()
    {
        var token = Now;
        switch (token.Kind)
        {
            case TokenKind.Int:
                return Take().Value is ulong and <= long.MaxValue and var whole ? new Literal(token.Position, (long)whole) : throw new CelSyntaxException(token.Position, "invalid int literal");
            case TokenKind.Uint or TokenKind.Double or TokenKind.String or TokenKind.Bytes:
                return new Literal(token.Position, Take().Value);
            case TokenKind.True or TokenKind.False:
                return new Literal(token.Position, Take().Kind == TokenKind.True);
            case TokenKind.Null:
                Take();
                return new Literal(token.Position, null);
            case TokenKind.Identifier:
                return Identifier();
        }
        if (Skip("("))
        {
            var inner = Expression();
            Demand(")");
            return inner;
        }
        if (Now.Is("[") || Now.Is("[?"))
            return ListOf();
        if (Now.Is("{"))
            return MapOf();
        // `.a` is `a` of the outermost scope; expressions have no other.
        if (Skip("."))
            return Now.Kind == TokenKind.Identifier ? Identifier() : throw Unexpected(", expected a name");
        throw Unexpected();
    }

    private Expr Identifier()
    {
        var token = Take();
        if (Lexer.IsReserved(token.Text))
            throw new CelSyntaxException(token.Position, $"reserved identifier: {token.Text}");
        return Now.Is("(") ? Bounded(Macros.Expand(token.Position, token.Text, null, Arguments())) : new Ident(token.Position, token.Text);
    }

    private Expr ListOf()
    {
        var position = Now.Position;
        // `[?` is one token: the question mark belongs to the first item.
        var optional = Take().Is("[?");
        var items = new List<(Expr, bool)>();
        while (!Skip("]"))
        {
            if (items.Count > 0)
            {
                Demand(",");
                if (Skip("]"))
                    break;
                optional = Skip("?");
            }
            items.Add((Expression(), optional));
        }
        return Bounded(new ListLiteral(position, items));
    }

    private Expr MapOf()
    {
        var position = Take().Position;
        var entries = new List<(Expr, Expr, bool)>();
        while (!Skip("}"))
        {
            if (entries.Count > 0)
            {
                Demand(",");
                if (Skip("}"))
                    break;
            }
            var optional = Skip("?");
            var key = Expression();
            Demand(":");
            entries.Add((key, Expression(), optional));
        }
        return Bounded(new MapLiteral(position, entries));
    }
}
