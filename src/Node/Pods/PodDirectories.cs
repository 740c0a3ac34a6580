namespace Weft.Node.Pods;

/// <summary>Where a pod's files stand below the data directory.</summary>
internal sealed record PodDirectories(string DataDir)
{
    public string Pods => Path.Combine(DataDir, "pods");
    public string Pod(string uid) => Path.Combine(Pods, uid);
    public string Volume(string uid, string volume) => Path.Combine(Pod(uid), "volumes", volume);
    public string Container(string uid, string container) => Path.Combine(Pod(uid), "containers", container);
    public string Log(string uid, string container, int attempt) => Path.Combine(Container(uid, container), $"{attempt}.log");
    public string TerminationMessage(string uid, string container, int attempt) => Path.Combine(Container(uid, container), $"{attempt}.message");
    public string Hosts(string uid) => Path.Combine(Pod(uid), "hosts");
    public string ResolvConf(string uid) => Path.Combine(Pod(uid), "resolv.conf");
}
