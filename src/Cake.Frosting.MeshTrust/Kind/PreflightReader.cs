using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Reads all that the checks look at: the machine, the container engine, kind, and what the plans say to them. Nothing is made or changed.</summary>
public sealed class PreflightReader(ToolHost tools, EngineSearch search, EngineSnapshotReader snapshots, HostReader host)
{
    /// <summary>Reads. A part that cannot be read is a problem in the reading, and hides no other part.</summary>
    internal async Task<PreflightReading> ReadAsync(ICakeContext context, MeshTrustSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(settings);
        var hosting = settings.Topology.Kind;
        var answer = await search.AskAsync(hosting.Engine, EngineSearch.DefaultLimit, cancellationToken).ConfigureAwait(false);
        var kind = await Part<string>.ReadAsync(() => ReadKindAsync(hosting, answer, cancellationToken)).ConfigureAwait(false);
        var choice = NodeImages.For(hosting, kind.Value);
        var image = Part<EngineImage>.ReadAsync(() => ReadImageAsync(answer, choice, cancellationToken));
        var engine = answer.Engine is null
            ? new Part<EngineSnapshot>(null, answer.Problems)
            : await Part<EngineSnapshot>.ReadAsync(async () => await snapshots.ReadAsync(answer.Engine, answer.Info!, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        var overlay = Part<string>.Read(() => hosting.KindConfigFile is { } file ? Text(Path.GetFullPath(file, tools.Environment.WorkingDirectory.FullPath)) : null);
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
        var (planned, addresses) = await WithAddressesAsync(settings, reading, answer.Engine, cancellationToken).ConfigureAwait(false);
        return overlay.Problems.Count > 0 ? planned with { PlanProblems = overlay.Problems } : WithPlans(settings, planned, addresses);
    }

    private Task<string?> ReadKindAsync(KindSpec hosting, EngineAnswer answer, CancellationToken cancellationToken) =>
        snapshots.ReadKindVersionAsync(answer.Info?.Engine ?? (hosting.Engine == ContainerEngineChoice.Podman ? ContainerEngineChoice.Podman : ContainerEngineChoice.Docker), cancellationToken);

    private static async Task<EngineImage?> ReadImageAsync(EngineAnswer answer, NodeImageChoice choice, CancellationToken cancellationToken) =>
        answer.Engine is null || choice.Image is null ? null : await answer.Engine.ReadImageAsync(choice.Image, cancellationToken).ConfigureAwait(false);

    private static IReadOnlyList<Problem> LoadBalancerProblems(ICakeContext context, KindSpec hosting, EngineSnapshot? engine) =>
        hosting.LoadBalancer.Kind != LoadBalancerKind.CloudProviderKind || engine is null ? [] : Part<string>.Read(() =>
        {
            new CloudProviderKind(context).EnsureRuns(engine);
            return null;
        }).Problems;

    private static async Task<(PreflightReading Reading, AddressPlan? Plan)> WithAddressesAsync(MeshTrustSettings settings, PreflightReading reading, IContainerEngine? program, CancellationToken cancellationToken)
    {
        if (reading.Engine is not { } engine || program is null) return (reading, null);
        var states = new KindStates(settings.Run.WorkDirectory);
        var plan = await Part<AddressPlan>.ReadAsync(async () =>
        {
            var kept = states.ReadAddresses();
            var found = await new OtherClusters(program, states).ReadAsync(settings.Topology, engine, kept, cancellationToken).ConfigureAwait(false);
            return AddressPlan.For(settings.Topology, engine, kept, found, settings.Run.Adopt);
        }).ConfigureAwait(false);
        return (reading with { AddressProblems = plan.Value?.Warnings ?? plan.Problems }, plan.Value);
    }

    private static PreflightReading WithPlans(MeshTrustSettings settings, PreflightReading reading, AddressPlan? addresses)
    {
        if (addresses is null) return reading;
        var plans = Part<IReadOnlyList<KindPlan>>.Read(() => KindPlan.For(settings.Topology, reading.Engine!, addresses, reading.KindConfig));
        // What is said of the image is said once, by its own row.
        List<Problem> told = [.. reading.ImageChoice.Warnings];
        if (reading.ImageChoice.Refusal is { } refusal) told.Add(refusal);
        return reading with
        {
            PlanProblems = [.. plans.Problems.Concat(plans.Value?.SelectMany(p => p.Warnings) ?? []).Except(told)],
            ClusterProblems = plans.Value?.SelectMany(plan => InTheWay(settings.Run, plan, reading.Engine!)).ToList(),
        };
    }

    private static IReadOnlyList<Problem> InTheWay(RunSpec run, KindPlan plan, EngineSnapshot engine)
    {
        var verdict = Part<KindVerdict>.Read(() => KindVerdict.Of(plan, engine, new KindStates(run.WorkDirectory).Read(plan.Cluster)));
        return verdict.Value is null ? verdict.Problems : verdict.Value.Refusal(run.Force, run.Adopt) is { } refusal ? [refusal] : [];
    }

    private static string Text(string file)
    {
        try
        {
            return MeshTrustSettings.ReadFile(file);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault) || fault is InvalidDataException)
        {
            throw DiskFault.From(Stage.Preflight, file, fault);
        }
    }
}
