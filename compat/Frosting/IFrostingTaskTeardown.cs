using Cake.Core;

namespace Cake.Frosting;

/// <summary>Ends each task.</summary>
public interface IFrostingTaskTeardown
{
    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    void Teardown(ICakeContext context, ITaskTeardownContext info);
}
