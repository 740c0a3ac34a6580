namespace Weft.Node.Runtime.Cri;

internal static class PodCgroup
{
    /// <summary>A limit of processes for the pod as a whole: CRI has none for a container. Where there is no such controller, nothing is limited.</summary>
    public static void LimitPids(string cgroup, long pids)
    {
        foreach (var directory in new[] { "/sys/fs/cgroup/pids" + cgroup, "/sys/fs/cgroup" + cgroup })
        {
            var file = Path.Combine(directory, "pids.max");
            if (!File.Exists(file))
                continue;
            try
            {
                File.WriteAllText(file, pids.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // The pod has ended meanwhile.
            }
        }
    }
}
