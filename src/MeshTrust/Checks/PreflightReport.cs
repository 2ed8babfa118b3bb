using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>Every check of the machine, all at once: one that fails hides none of the others.</summary>
public sealed record PreflightReport
{
    /// <summary>The mesh's name.</summary>
    public required string Mesh { get; init; }

    /// <summary>A row for each check, in the order in which people would look: the engine, the machine, the image, the network, the clusters.</summary>
    public required IReadOnlyList<PreflightRow> Rows { get; init; }

    /// <summary>All problems, in the order of the rows.</summary>
    public IEnumerable<Problem> Problems => Rows.SelectMany(r => r.Problems);

    /// <summary>How many problems are errors.</summary>
    public int Errors => Problems.Count(p => p.Severity == Severity.Error);

    /// <summary>How many problems are warnings.</summary>
    public int Warnings => Problems.Count(p => p.Severity == Severity.Warning);

    /// <summary>Every check.</summary>
    public static IReadOnlyList<PreflightCheck> Checks { get; } =
    [
        new EngineAnswersCheck(), new RemoteEngineCheck(), new KindVersionCheck(), new KubectlCheck(), new CgroupCheck(), new RootlessCheck(), new PodmanLogDriverCheck(),
        new InotifyInstancesCheck(), new InotifyWatchesCheck(), new MemoryCheck(), new EngineDiskCheck(), new TemporaryDiskCheck(), new KubeconfigLockCheck(),
        new PortPairCheck(), new PortFreeCheck(),
        new NodeImageCheck(), new ImageArchitectureCheck(), new ClusterPlanCheck(),
        new AmbiguousNetworkCheck(), new AddressPoolCheck(), new KernelIpv6Check(), new NetworkFamilyCheck(), new AddressClashCheck(), new PoolCheck(),
        new MetalLbVersionCheck(), new CloudProviderCheck(), new DockerDesktopCheck(), new LeftoverClusterCheck(),
    ];

    /// <summary>Makes every check. Pure: the same reading gives the same report.</summary>
    public static PreflightReport For(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return new PreflightReport { Mesh = reading.Topology.Name, Rows = [.. Checks.Select(check => Row(check, reading))] };
    }

    /// <summary>The errors as a fault of stage <see cref="Stage.Preflight"/>; null where there is none. Warnings stop nothing.</summary>
    public MeshTrustException? ToFault() =>
        Errors == 0 ? null : new MeshTrustException(Stage.Preflight, [.. Problems.Where(p => p.Severity == Severity.Error)]);

    private static PreflightRow Row(PreflightCheck check, PreflightReading reading)
    {
        if (check.NeedsEngine && reading.Engine is null) return New(check, PreflightOutcome.Unknown, "the engine does not answer");
        if (check.NotApplicable(reading) is { } reason) return New(check, PreflightOutcome.NotApplicable, reason);
        if (check.Unread(reading) is { } unread) return New(check, PreflightOutcome.Unknown, unread);
        List<Problem> problems = [.. check.Inspect(reading).OrderByDescending(p => p.Severity)];
        var outcome = problems.Count == 0 ? PreflightOutcome.Passed : problems[0].Severity == Severity.Error ? PreflightOutcome.Failed : PreflightOutcome.Warned;
        return New(check, outcome, check.Measured(reading)) with { Problems = problems };
    }

    private static PreflightRow New(PreflightCheck check, PreflightOutcome outcome, string measured) =>
        new() { Id = check.Id, Title = check.Title, Outcome = outcome, Measured = measured };
}
