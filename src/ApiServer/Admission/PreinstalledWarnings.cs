using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Api.Istio;

namespace Weft.ApiServer.Admission;

/// <summary>Says what a kind that comes with the program has to say about an object; also where a user's definition has taken the place of the program's; and of kinds that come with those definitions and have no effect.</summary>
public sealed class PreinstalledWarnings(IEnumerable<PreinstalledKind> kinds) : IAdmission
{
    private readonly FrozenDictionary<(string, string), Func<JsonObject, IEnumerable<string>>> _warnings =
        kinds.ToFrozenDictionary(kind => (kind.Kind.Kind.Group, kind.Kind.Plural), kind => kind.Warnings);

    public string Name => "PreinstalledWarnings";

    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is { Operation: AdmissionOperation.Create or AdmissionOperation.Update, Subresource: "", Object: { } tree })
        {
            lock (request.Warnings)
            {
                if (_warnings.TryGetValue((request.Resource.Group, request.Resource.Resource), out var warnings))
                    request.Warnings.AddRange(warnings(tree));
                else if (request.Operation == AdmissionOperation.Create && UnservedKinds.Warning(request.Kind) is { } unserved)
                    request.Warnings.Add(unserved);
            }
        }

        return ValueTask.CompletedTask;
    }
}
