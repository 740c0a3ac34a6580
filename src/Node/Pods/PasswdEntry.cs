namespace Weft.Node.Pods;

/// <summary>A line of /etc/passwd, as far as it matters.</summary>
internal sealed record PasswdEntry(string Name, uint Uid, uint Gid, string Home)
{
    public static IReadOnlyList<PasswdEntry> Parse(IEnumerable<string> lines) =>
    [
        .. lines.Select(line => line.Split(':')).Where(f => f.Length >= 6 && uint.TryParse(f[2], out _) && uint.TryParse(f[3], out _))
            .Select(f => new PasswdEntry(f[0], uint.Parse(f[2]), uint.Parse(f[3]), f[5])),
    ];
}
