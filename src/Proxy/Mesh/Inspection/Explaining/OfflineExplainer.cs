using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>Explains by units that no proxy has: what a compiler has made of manifests.</summary>
public static class OfflineExplainer
{
    /// <param name="units">Those that a proxy would not take are left out, as it would.</param>
    public static Explanation Explain(IEnumerable<ConfigUnit> units, ExplainQuestion question, string trustDomain = "cluster.local")
    {
        var state = new MeshState();
        var good = new List<KeyValuePair<UnitKey, object?>>();
        foreach (var unit in units)
        {
            try
            {
                var read = UnitCodec.Read(unit);
                UnitJudge.Check(unit.Key, read);
                good.Add(new(unit.Key, read));
            }
            catch (UnitException)
            {
                // Not taken: as if it were not there.
            }
        }

        state.Apply(good);
        var node = state.Workloads.GetValueOrDefault($"{question.Namespace}/{question.Pod}")?.Unit.Node ?? "";
        var door = new LocalWorkload("", DoorNames.Namespace, DoorNames.Workload, DoorNames.ServiceAccount, default);
        var source = new MeshSource(null, door, $"spiffe://{trustDomain}/ns/{door.Namespace}/sa/{door.ServiceAccount}");
        var paths = new MeshPaths(node, source, new Nobody(), new NoConnector(), new OffLimits([], [], []), () => state.View, (_, _, _, _, _) => { });
        return new Explainer(new ExplainerParts(state, node, trustDomain, paths, null, null)).Explain(question);
    }

    private sealed class Nobody : ILocalWorkloads
    {
        public LocalWorkload? Find(IPAddress address) => null;
    }

    // That there is one decides the way; nothing is sent.
    private sealed class NoConnector : IMeshConnector
    {
        public int Connect(LocalWorkload source, IPAddress? address, IPEndPoint destination, string expectedIdentity, EventLoop loop) => -1;
    }
}
