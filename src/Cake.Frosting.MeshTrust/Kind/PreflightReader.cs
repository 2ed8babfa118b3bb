using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Reads everything that the checks inspect: the machine, the container engine, kind, and the plans. Nothing is created or changed.
/// </summary>
internal sealed class PreflightReader(EngineSearch search, EngineSnapshotReader snapshots, HostReader host, KindAccess access)
{
    /// <summary>Reads. A part that cannot be read is a problem in the reading and hides no other part.</summary>
    internal async Task<PreflightReading> ReadAsync(ICakeContext context, MeshTrustSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(settings);
        var hosting = settings.Topology.Kind;
        var answer = await search.AskAsync(hosting.Engine, EngineSearch.DefaultLimit, cancellationToken).ConfigureAwait(false);
        var kind = await Attempt<string>.OfAsync(() => ReadKindAsync(hosting, answer, cancellationToken)).ConfigureAwait(false);
        var choice = NodeImages.For(hosting, kind.Value);
        var image = Attempt<EngineImage>.OfAsync(() => ReadImageAsync(answer, choice, cancellationToken));
        var engine = answer.Engine is null
            ? new Attempt<EngineSnapshot>(null, new MeshTrustException(Stage.Preflight, answer.Problems))
            : await Attempt<EngineSnapshot>.OfAsync(async () => await snapshots.ReadAsync(answer.Engine, answer.Info!,
                cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        var overlay = KindPlanner.ReadOverlay(settings.Topology);
        var reading = new PreflightReading
        {
            Topology = settings.Topology,
            Host = host.Read(settings, engine.Value?.Info ?? answer.Info),
            Engine = engine.Value,
            EngineProblems = engine.Problems,
            KindVersion = kind.Value,
            KindProblems = kind.Problems,
            ImageChoice = choice,
            Image = (await image.ConfigureAwait(false)).Value,
            KindConfig = overlay.Value,
            LoadBalancerProblems = LoadBalancerProblems(context, hosting, engine.Value),
        };
        reading = reading with { Host = reading.Host with { BusyPorts = [.. reading.WantedPorts.Where(HostPort.IsTaken)] } };
        if (engine.Value is not { } snapshot || answer.Engine is null) return reading with { PlanProblems = overlay.Fault?.Problems };
        var set = await access.Planner.PlanAsync(settings.Topology, settings.Run, answer.Engine, snapshot,
            cancellationToken).ConfigureAwait(false);
        return WithPlans(settings.Run, reading, set);
    }

    private Task<string?> ReadKindAsync(KindSpec hosting, EngineAnswer answer, CancellationToken cancellationToken) =>
        snapshots.ReadKindVersionAsync(answer.Info?.Engine ?? (hosting.Engine == ContainerEngineChoice.Podman
            ? ContainerEngineChoice.Podman : ContainerEngineChoice.Docker), cancellationToken);

    private static async Task<EngineImage?> ReadImageAsync(EngineAnswer answer, NodeImageChoice choice,
        CancellationToken cancellationToken) =>
        answer.Engine is null || choice.Image is null ? null
            : await answer.Engine.ReadImageAsync(choice.Image, cancellationToken).ConfigureAwait(false);

    private static IReadOnlyList<Problem> LoadBalancerProblems(ICakeContext context, KindSpec hosting, EngineSnapshot? engine) =>
        hosting.LoadBalancer.Kind != LoadBalancerKind.CloudProviderKind || engine is null ? [] : Attempt<string>.Of(() =>
        {
            new CloudProviderKind(context).EnsureRuns(engine);
            return null;
        }).Problems;

    private static PreflightReading WithPlans(RunSpec run, PreflightReading reading, KindPlanSet set)
    {
        reading = reading with { AddressProblems = set.Addresses.Value?.Warnings ?? set.Addresses.Problems };
        if (set.Plans is { Value: null, Fault: null }) return reading;
        // Problems of the image are reported once, in its own row.
        var image = reading.ImageChoice;
        IEnumerable<Problem> ofImage = image.Refusal is { } refusal ? [.. image.Warnings, refusal] : image.Warnings;
        return reading with
        {
            PlanProblems = [.. set.Plans.Problems.Concat(set.Plans.Value?.SelectMany(p => p.Warnings) ?? []).Except(ofImage)],
            ClusterProblems = set.Plans.Value is null ? null : [.. set.Verdicts.SelectMany(verdict => InTheWay(run, verdict))],
        };
    }

    private static IReadOnlyList<Problem> InTheWay(RunSpec run, Attempt<KindVerdict> verdict) =>
        verdict.Value is null ? verdict.Problems : verdict.Value.Refusal(run.Force, run.Adopt) is { } refusal ? [refusal] : [];
}
