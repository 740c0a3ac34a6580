using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Feed;

/// <summary>
/// A job of the compiler that fails costs its own object only. What fails before, while the inputs are put in order, would keep everybody's configuration from changing: here
/// such objects are found by compiling each alone, and left out; what a service entry's hosts have been given stays theirs. Policies are not: without one more would be let in.
/// </summary>
internal static class Quarantine
{
    public static (MeshSnapshot Snapshot, ImmutableArray<MeshDiagnostic> Diagnostics) Compile(MeshInputs inputs, MeshSnapshot? before)
    {
        try
        {
            return (MeshCompiler.Compile(inputs, before), []);
        }
        catch (Exception)
        {
            var problems = ImmutableArray.CreateBuilder<MeshDiagnostic>();
            var empty = new MeshInputs { Settings = inputs.Settings };
            var rest = inputs with
            {
                Services = Good(inputs.Services, list => empty with { Services = list }, problems),
                Slices = Good(inputs.Slices, list => empty with { Slices = list }, problems),
                VirtualServices = Good(inputs.VirtualServices, list => empty with { VirtualServices = list }, problems),
                DestinationRules = Good(inputs.DestinationRules, list => empty with { DestinationRules = list }, problems),
                ServiceEntries = Good(inputs.ServiceEntries, list => empty with { ServiceEntries = list }, problems),
                WorkloadEntries = Good(inputs.WorkloadEntries, list => empty with { WorkloadEntries = list }, problems),
                Gateways = Good(inputs.Gateways, list => empty with { Gateways = list }, problems),
            };
            if (problems.Count == 0)
                throw;
            // Everything anew, but for what hosts have been given, which those that are left out hold as well.
            var held = before?.Index?.HostAddresses ?? HostAddresses.None;
            return (MeshCompiler.Compile(rest, null, held, [.. inputs.ServiceEntries.Except(rest.ServiceEntries, ReferenceEqualityComparer.Instance).Cast<ServiceEntry>()]), problems.ToImmutable());
        }
    }

    private static ImmutableArray<T> Good<T>(ImmutableArray<T> objects, Func<ImmutableArray<T>, MeshInputs> alone, ImmutableArray<MeshDiagnostic>.Builder problems) where T : class, IObject
    {
        return [.. objects.Where(IsGood)];

        bool IsGood(T value)
        {
            try
            {
                MeshCompiler.Compile(alone([value]));
                return true;
            }
            catch (Exception failed)
            {
                // Not its text, which may have another tenant's.
                problems.Add(new(Problems.RefOf(value), "spec", Severity.Error, $"cannot be read ({failed.GetType().Name}, a mistake of the compiler's own), and is left out"));
                return false;
            }
        }
    }
}
