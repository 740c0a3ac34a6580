using System.Globalization;

namespace Weft.Bench.Mesh;

/// <summary>What the kernel says of a process.</summary>
internal static class ProcessFigures
{
    // USER_HZ, which is 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds of processor time: in the program, in the kernel.</summary>
    public static (double User, double System) ProcessorOf(int pid)
    {
        var stat = File.ReadAllText(FormattableString.Invariant($"/proc/{pid}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) / TicksPerSecond, long.Parse(fields[12], CultureInfo.InvariantCulture) / TicksPerSecond);
    }

    public static (double User, double System) ProcessorOf(IEnumerable<int> pids) =>
        pids.Select(ProcessorOf).Aggregate((User: 0.0, System: 0.0), (all, one) => (all.User + one.User, all.System + one.System));

    /// <summary>Megabytes; a page that n processes map counts as an n-th for each in Pss.</summary>
    public static (double Pss, double Private, double Resident) MemoryOf(IEnumerable<int> pids)
    {
        var (pss, own, resident) = (0.0, 0.0, 0.0);
        foreach (var pid in pids)
        {
            foreach (var line in File.ReadLines(FormattableString.Invariant($"/proc/{pid}/smaps_rollup")))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words.Length != 3 || words[2] != "kB")
                    continue;
                var megabytes = long.Parse(words[1], CultureInfo.InvariantCulture) / 1024.0;
                switch (words[0])
                {
                    case "Pss:":
                        pss += megabytes;
                        break;
                    case "Private_Dirty:":
                        own += megabytes;
                        break;
                    case "Rss:":
                        resident += megabytes;
                        break;
                }
            }
        }

        return (pss, own, resident);
    }

    public static IEnumerable<int> ChildrenOf(int pid) => Text(FormattableString.Invariant($"/proc/{pid}/task/{pid}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(text => int.Parse(text, CultureInfo.InvariantCulture)).SelectMany(child => ChildrenOf(child).Prepend(child));

    /// <summary>Empty when the process has gone.</summary>
    public static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
