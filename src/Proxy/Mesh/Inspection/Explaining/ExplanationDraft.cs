using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>An explanation while it is being found.</summary>
internal sealed class ExplanationDraft
{
    private readonly List<ExplainedStep> _steps = [];
    private readonly List<string> _units = [];

    public List<ExplainedEndpoint> Endpoints { get; } = [];

    /// <summary>As it should be.</summary>
    public void Good(string step, string text, params IEnumerable<string> why) => _steps.Add(new(step, '+', text, [.. why]));

    /// <summary>Worth a look.</summary>
    public void Odd(string step, string text, params IEnumerable<string> why) => _steps.Add(new(step, '!', text, [.. why]));

    public void Fact(string step, string text, params IEnumerable<string> why) => _steps.Add(new(step, ' ', text, [.. why]));

    public void Uses(UnitKind kind, string name)
    {
        var unit = $"{kind} {name}";
        if (!_units.Contains(unit))
            _units.Add(unit);
    }

    /// <summary>It ends here.</summary>
    public Explanation Stop(string step, ExplainedOutcome outcome, int? status, string text, params IEnumerable<string> why)
    {
        _steps.Add(new(step, '-', text, [.. why]));
        return End(outcome, status, text);
    }

    public Explanation End(ExplainedOutcome outcome, int? status, string summary) =>
        new() { Outcome = outcome, Status = status, Summary = summary, Steps = [.. _steps], Endpoints = [.. Endpoints], Units = [.. _units] };
}
