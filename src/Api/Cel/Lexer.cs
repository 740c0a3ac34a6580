using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Weft.Api.Cel;

internal enum TokenKind { End, Identifier, Int, Uint, Double, String, Bytes, Symbol, True, False, Null, In }

/// <param name="Value">long, ulong, double, string or byte[]; the text of an identifier or symbol.</param>
internal readonly record struct Token(TokenKind Kind, int Position, object? Value)
{
    public string Text => Value as string ?? "";
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;
}

/// <summary>Tokens of CEL (cel-spec, "Syntax"). Numbers have no sign here: `-1` is an operator and a number, and the parser joins them.</summary>
internal sealed class Lexer(string text)
{
    // No names of variables; as names of members they are ordinary (request.namespace).
    private static readonly FrozenSet<string> Reserved = FrozenSet.ToFrozenSet(
        ["as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"]);

    private static readonly string[] Symbols = ["&&", "||", "==", "!=", "<=", ">=", "[?", ".?", "{", "}", "[", "]", "(", ")", ".", ",", ":", "?", "+", "-", "*", "/", "%", "<", ">", "!"];

    private int _at;

    public static bool IsReserved(string word) => Reserved.Contains(word);

    public List<Token> All()
    {
        var tokens = new List<Token>();
        while (true)
        {
            SkipSpace();
            var token = Next();
            tokens.Add(token);
            if (token.Kind == TokenKind.End)
                return tokens;
        }
    }

    private char Peek(int ahead = 0) => _at + ahead < text.Length ? text[_at + ahead] : '\0';

    private void SkipSpace()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]))
                _at++;
            else if (Peek() == '/' && Peek(1) == '/')
                _at = text.IndexOf('\n', _at) is >= 0 and var end ? end : text.Length;
            else
                return;
        }
    }

    private Token Next()
    {
        if (_at >= text.Length)
            return new(TokenKind.End, _at, "");
        var c = text[_at];
        if (char.IsAsciiDigit(c) || c == '.' && char.IsAsciiDigit(Peek(1)))
            return Number();
        if (Quoted() is { } quoted)
            return quoted;
        if (char.IsAsciiLetter(c) || c == '_')
            return Word();
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) == 0)
            {
                _at += symbol.Length;
                return new(TokenKind.Symbol, _at - symbol.Length, symbol);
            }
        }
        throw new CelSyntaxException(_at, $"Syntax error: token recognition error at: '{c}'");
    }

    private Token Word()
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() == '_')
            _at++;
        var word = text[start.._at];
        return word switch
        {
            "true" => new(TokenKind.True, start, word),
            "false" => new(TokenKind.False, start, word),
            "null" => new(TokenKind.Null, start, word),
            "in" => new(TokenKind.In, start, word),
            _ => new(TokenKind.Identifier, start, word),
        };
    }

    private Token Number()
    {
        var start = _at;
        if (Peek() == '0' && Peek(1) is 'x' or 'X')
        {
            _at += 2;
            while (char.IsAsciiHexDigit(Peek()))
                _at++;
            var digits = text.AsSpan(start + 2, _at - start - 2);
            return ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? Whole(start, hex) : throw new CelSyntaxException(start, "invalid int literal");
        }

        while (char.IsAsciiDigit(Peek()))
            _at++;
        var real = false;
        if (Peek() == '.' && char.IsAsciiDigit(Peek(1)))
        {
            real = true;
            _at++;
            while (char.IsAsciiDigit(Peek()))
                _at++;
        }
        if (Peek() is 'e' or 'E' && (char.IsAsciiDigit(Peek(1)) || Peek(1) is '+' or '-' && char.IsAsciiDigit(Peek(2))))
        {
            real = true;
            _at += 2;
            while (char.IsAsciiDigit(Peek()))
                _at++;
        }
        var number = text.AsSpan(start, _at - start);
        if (real)
            return double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? new(TokenKind.Double, start, value) : throw new CelSyntaxException(start, "invalid double literal");
        return ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? Whole(start, whole) : throw new CelSyntaxException(start, "invalid int literal");
    }

    // An int is kept unsigned until the parser knows its sign: the least int has no positive counterpart.
    private Token Whole(int start, ulong value)
    {
        if (Peek() is not ('u' or 'U'))
            return new(TokenKind.Int, start, value);
        _at++;
        return new(TokenKind.Uint, start, value);
    }

    private Token? Quoted()
    {
        var (start, at) = (_at, _at);
        bool raw = false, bytes = false;
        while (at < text.Length && at - start < 2 && text[at] is 'r' or 'R' or 'b' or 'B')
        {
            if (text[at] is 'r' or 'R' ? raw : bytes)
                return null;
            raw |= text[at] is 'r' or 'R';
            bytes |= text[at] is 'b' or 'B';
            at++;
        }
        if (at >= text.Length || text[at] is not ('"' or '\''))
            return null;
        var mark = text[at];
        var triple = at + 2 < text.Length && text[at + 1] == mark && text[at + 2] == mark;
        _at = at + (triple ? 3 : 1);
        var units = new MemoryStream();
        var chars = new StringBuilder();
        while (true)
        {
            if (_at >= text.Length || !triple && text[_at] is '\n' or '\r')
                throw new CelSyntaxException(start, "Syntax error: unterminated string");
            if (text[_at] == mark && (!triple || Peek(1) == mark && Peek(2) == mark))
            {
                _at += triple ? 3 : 1;
                if (!bytes)
                    return new(TokenKind.String, start, chars.ToString());
                Flush(chars, units);
                return new(TokenKind.Bytes, start, units.ToArray());
            }
            if (text[_at] == '\\' && !raw)
                Escape(bytes, chars, units);
            else
                chars.Append(text[_at++]);
        }
    }

    private static void Flush(StringBuilder chars, MemoryStream units)
    {
        units.Write(Encoding.UTF8.GetBytes(chars.ToString()));
        chars.Clear();
    }

    private void Escape(bool bytes, StringBuilder chars, MemoryStream units)
    {
        var start = _at++;
        var c = Peek();
        _at++;
        if ("abfnrtv\\?\"'`".IndexOf(c, StringComparison.Ordinal) is >= 0 and var simple && c != '\0')
        {
            chars.Append("\a\b\f\n\r\t\v\\?\"'`"[simple]);
            return;
        }
        var (digits, radix) = c switch { 'x' or 'X' => (2, 16), 'u' => (4, 16), 'U' => (8, 16), >= '0' and <= '3' => (3, 8), _ => (0, 0) };
        if (digits == 0 || c is 'u' or 'U' && bytes)
            throw new CelSyntaxException(start, "invalid escape sequence");
        if (radix == 8)
            _at--;
        var code = 0u;
        for (var i = 0; i < digits; i++, _at++)
        {
            var digit = char.IsAsciiHexDigit(Peek()) ? Convert.ToUInt32(Peek().ToString(), 16) : 16;
            if (digit >= radix)
                throw new CelSyntaxException(start, "invalid escape sequence");
            code = code * (uint)radix + digit;
        }
        if (bytes)
        {
            Flush(chars, units);
            units.WriteByte((byte)code);
        }
        else if (Rune.IsValid(code))
            chars.Append(new Rune(code).ToString());
        else
            throw new CelSyntaxException(start, "invalid unicode code point");
    }
}
