import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Run by `mockgraph run --seed demo -- ./gradlew test`, or whatever runs your tests. */
class HighAlertsTest {
    // A tenant for each class: tests that run at the same time do not see one another.
    static final String GRAPH = System.getenv("MOCKGRAPH_URL") + "/t/high-alerts";
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpResponse<String> control(String method, String path, String json) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(GRAPH + "/_mockgraph/" + path))
            .header("Content-Type", "application/json")
            .method(method, json.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(json));
        var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        assertTrue(answer.statusCode() < 300, answer.body());
        return answer;
    }

    /** The code under test: it waits as it is told, and tries again. */
    static String highAlerts() throws Exception {
        var query = "?$select=id&$filter=severity%20eq%20'high'";
        var request = HttpRequest.newBuilder(URI.create(GRAPH + "/v1.0/security/alerts_v2" + query))
            .header("Authorization", "Bearer any");
        var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() != 429) return answer.body();
        var seconds = answer.headers().firstValue("Retry-After").orElseThrow();
        Thread.sleep((long) (1000 * Double.parseDouble(seconds)));
        return highAlerts();
    }

    @BeforeEach
    void reset() throws Exception {
        control("POST", "reset", "");
    }

    @AfterEach
    void nothingWasDoneThatGraphTellsClientsNotToDo() throws Exception {
        assertEquals("{\"value\":[]}", control("GET", "misdeeds", "").body());
    }

    @Test
    void highAlertsAreRead() throws Exception {
        assertEquals(17, highAlerts().split("\"id\"").length);
    }

    @Test
    void aThrottleIsWaitedFor() throws Exception {
        control("POST", "faults", "{\"preset\": \"throttle\", \"retry_after\": 0.1}");
        assertEquals(17, highAlerts().split("\"id\"").length);
        control("POST", "verify", "{\"path\": \"/security/alerts_v2\", \"times\": 2}");
    }
}
