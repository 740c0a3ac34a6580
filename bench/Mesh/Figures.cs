using System.Globalization;

namespace Weft.Bench.Mesh;

/// <summary>Measurements in order.</summary>
internal sealed class Figures(IEnumerable<double> values)
{
    private readonly List<double> _sorted = [.. values.Order()];

    public int Count => _sorted.Count;

    /// <summary>The smallest value that so large a share of all does not pass.</summary>
    public double At(double share) => _sorted.Count == 0 ? double.NaN : _sorted[Math.Clamp((int)Math.Ceiling(share * _sorted.Count) - 1, 0, _sorted.Count - 1)];

    public double Largest => At(1);

    public static string Text(double value) => value.ToString(Math.Abs(value) < 10 ? "0.00" : Math.Abs(value) < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    public static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    public static string LoadAverage => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);
}
