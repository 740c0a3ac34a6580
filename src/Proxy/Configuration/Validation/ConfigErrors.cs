namespace Weft.Proxy.Configuration.Validation;

/// <param name="Path">`clusters[0].endpoints[1].weight`, in the words of the model.</param>
internal readonly record struct ConfigError(string Path, string Message);

/// <summary>Gathers what is wrong; nothing stops at the first.</summary>
internal sealed class ConfigErrors
{
    private readonly List<ConfigError> _errors = [];

    public IReadOnlyList<ConfigError> All => _errors;

    public void Add(string path, string message) => _errors.Add(new(path, message));

    public void Require(bool holds, string path, string message)
    {
        if (!holds)
            Add(path, message);
    }

    public void Name(string name, string path) => Require(name.Length > 0, path, "is missing");

    public void Port(int port, string path) => Require(port is > 0 and < 65_536, path, $"{port} is no port; 1 to 65535");

    public void Fraction(double fraction, string path) => Require(fraction is >= 0 and <= 1, path, $"{fraction} is no share; 0 to 1, or 0% to 100%");

    public void NotNegative(TimeSpan time, string path) => Require(time >= TimeSpan.Zero, path, "must not be negative");

    public void AtLeast(long value, long least, string path) => Require(value >= least, path, $"is {value}; at least {least}");

    /// <summary>What compiles it says what is wrong with it.</summary>
    public void Compiles(Action compile, string path)
    {
        try
        {
            compile();
        }
        catch (Exception bad) when (bad is ArgumentException or FormatException)
        {
            Add(path, bad.Message);
        }
    }

    public void Unique<T>(IEnumerable<T> items, Func<T, string> name, Func<int, string> path, string what)
    {
        var seen = new HashSet<string>();
        foreach (var (i, item) in items.Index())
            Require(seen.Add(name(item)), path(i), $"{what} '{name(item)}' stands twice");
    }
}
