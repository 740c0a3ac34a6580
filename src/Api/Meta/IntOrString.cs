using System.Globalization;

namespace Weft.Api;

/// <summary>A number or a text: ports by number or name, amounts by number or percentage.</summary>
public readonly record struct IntOrString
{
    private IntOrString(int number, string? text) => (Number, Text) = (number, text);

    /// <summary>The number, when <see cref="IsInt"/>.</summary>
    public int Number { get; }

    /// <summary>The text, or null for a number.</summary>
    public string? Text { get; }

    public bool IsInt => Text is null;

    public static IntOrString Of(int number) => new(number, null);
    public static IntOrString Of(string text) => new(0, text);
    public static implicit operator IntOrString(int number) => new(number, null);
    public static implicit operator IntOrString(string text) => new(0, text);

    /// <summary>The number itself, or the percentage (`25%`) of <paramref name="total"/>; null when the text is no percentage.</summary>
    public int? ScaledBy(int total, bool roundUp)
    {
        if (Text is null)
            return Number;
        if (!Text.EndsWith('%') || !int.TryParse(Text.AsSpan(0, Text.Length - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var percent))
            return null;
        var exact = (long)percent * total;
        var floor = (long)Math.Floor(exact / 100.0);
        return (int)(roundUp && floor * 100 != exact ? floor + 1 : floor);
    }

    public override string ToString() => Text ?? Number.ToString(CultureInfo.InvariantCulture);
}
