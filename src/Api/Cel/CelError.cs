namespace Weft.Api.Cel;

/// <summary>What is wrong with an expression.</summary>
/// <param name="Position">Offset in UTF-16 units from the start of the text.</param>
public sealed record CelError(int Position, string Message)
{
    /// <summary>The error with its line, and a mark below its place: `ERROR: &lt;input&gt;:1:6: undefined field 'a'`.</summary>
    public string In(string text)
    {
        var position = Math.Min(Position, text.Length);
        var start = position == 0 ? 0 : text.LastIndexOf('\n', position - 1) + 1;
        var end = text.IndexOf('\n', position);
        var line = text.AsSpan(0, start).Count('\n') + 1;
        var shown = text[start..(end < 0 ? text.Length : end)];
        // A line of kilobytes would bury the message.
        var marked = shown.Length > 200 ? "" : $"\n | {shown}\n | {new string('.', position - start)}^";
        return $"ERROR: <input>:{line}:{position - start + 1}: {Message}{marked}";
    }
}

/// <summary>Ends the reading of an expression at its first syntax error.</summary>
internal sealed class CelSyntaxException(int position, string message) : Exception(message)
{
    public CelError Error => new(position, Message);
}

/// <summary>An expression has used up what it may cost.</summary>
public sealed class CelBudgetException() : Exception("operation cancelled: actual cost limit exceeded");
