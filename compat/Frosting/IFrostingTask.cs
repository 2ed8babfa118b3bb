using Cake.Core;

namespace Cake.Frosting;

/// <summary>A task. Derive from <see cref="FrostingTask"/> or <see cref="AsyncFrostingTask"/>: the host takes no other.</summary>
public interface IFrostingTask
{
    /// <summary>What is written when the task is skipped.</summary>
    string SkippedMessage { get; }

    /// <summary>Says whether the task runs.</summary>
    /// <param name="context">The context.</param>
    /// <returns>Whether it runs.</returns>
    bool ShouldRun(ICakeContext context);

    /// <summary>Does the task's work.</summary>
    /// <param name="context">The context.</param>
    /// <returns>The work.</returns>
    Task RunAsync(ICakeContext context);

    /// <summary>Handles a fault of the task.</summary>
    /// <param name="exception">The fault.</param>
    /// <param name="context">The context.</param>
    void OnError(Exception exception, ICakeContext context);

    /// <summary>Called after the task, whether it failed or not.</summary>
    /// <param name="context">The context.</param>
    void Finally(ICakeContext context);
}
